import { escapeForDisplay } from "../display_json.ts";
import type { CancelTimer } from "../clock.ts";
import type { SallyportError } from "../errors.ts";
import { fromOsError } from "../net/os_error.ts";
import { systemClock } from "../system_clock.ts";

/** Milliseconds before a port that was lost is asked for again. */
const REOPEN_AFTER = 250;

/** JSON that a path of a {@linkcode JsonPort} answers with. */
export interface JsonAnswer {
  /** HTTP status. */
  status: number;
  body: unknown;
}

/** Text of another kind that a path answers with, always with 200. */
export interface TextAnswer {
  contentType: string;
  text: string;
}

/** What one path answers. */
export type PortAnswer = JsonAnswer | TextAnswer;

/** How to open a {@linkcode JsonPort}. */
export interface JsonPortInit {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** What clients may call this port, so that no other name can be made to lead here. @default {anything} */
  hosts?: readonly string[];
  /** Answers of `GET`, by path. */
  routes: Record<string, () => PortAnswer | Promise<PortAnswer>>;
  /** The port was lost, and will be had again as soon as that is possible. */
  onTrouble(error: SallyportError): void;
}

/** A port that tells a program's state. */
export interface JsonPort {
  address: { host: string; port: number };
  /** Frees the port; answers under way are finished. */
  close(): Promise<void>;
}

/**
 * Answers `GET` of a few paths with JSON, for health checks and status displays.
 * @throws SallyportError when the port cannot be had.
 */
export function openJsonPort(init: JsonPortInit): JsonPort {
  return new Port(init);
}

type State =
  | { name: "open"; server: Deno.HttpServer }
  | { name: "reopening"; cancel: CancelTimer }
  | { name: "closed" };

class Port implements JsonPort {
  readonly #init: JsonPortInit;
  readonly address: { host: string; port: number };
  #state: State;

  constructor(init: JsonPortInit) {
    this.#init = init;
    const server = this.#serve(init.port);
    this.#state = { name: "open", server };
    this.address = { host: server.addr.hostname, port: server.addr.port };
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#setState({ name: "closed" });
    if (state.name === "reopening") state.cancel();
    if (state.name === "open") await state.server.shutdown();
  }

  #setState(state: State): void {
    this.#state = state;
  }

  #serve(port: number): Deno.HttpServer<Deno.NetAddr> {
    const { host: hostname } = this.#init;
    try {
      const handler = (request: Request) => answer(request, this.#init);
      const server = Deno.serve({ hostname, port, onListen: () => {}, onError }, handler);
      // It gives its port up for good when a connection comes while the process has no descriptor left.
      server.finished.catch((error) => this.#lost(error));
      return server;
    } catch (error) {
      throw fromOsError(error, `listen on ${hostname}:${port}`);
    }
  }

  #lost(error: unknown): void {
    if (this.#state.name === "closed") return;
    this.#init.onTrouble(fromOsError(error, `take connections on port ${this.address.port}`));
    this.#reopenSoon();
  }

  #reopenSoon(): void {
    this.#setState({ name: "reopening", cancel: systemClock.after(REOPEN_AFTER, () => this.#reopen()) });
  }

  #reopen(): void {
    try {
      this.#setState({ name: "open", server: this.#serve(this.address.port) });
    } catch {
      // It was told that the port is lost; this goes on until it is not.
      this.#reopenSoon();
    }
  }
}

/** The runtime would print it, for every request of anybody. */
function onError(): Response {
  return new Response("A fault of this program\n", { status: 500 });
}

/** Pages of the web may neither read an answer nor run it as a script of theirs. */
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
};

async function answer(
  request: Request,
  { routes, hosts }: Pick<JsonPortInit, "routes" | "hosts">,
): Promise<Response> {
  const url = URL.parse(request.url);
  if (url === null) return new Response("Cannot read the field Host\n", { status: 400 });
  const { pathname, hostname: asked } = url;
  if (hosts !== undefined && !hosts.includes(asked)) {
    return new Response(`Nothing is called ${asked} here, only ${hosts.join(", ")}\n`, { status: 421 });
  }
  if (!Object.hasOwn(routes, pathname)) {
    const paths = Object.keys(routes).join(", ");
    return new Response(`Nothing is at ${pathname}, only at ${paths}\n`, { status: 404 });
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Only GET is answered\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  const found = await routes[pathname]!();
  if ("text" in found) {
    return new Response(found.text, { headers: { ...HEADERS, "content-type": found.contentType } });
  }
  // It may hold words of others, such as a proxy's, and is read on terminals.
  const json = escapeForDisplay(JSON.stringify(found.body));
  return new Response(json, {
    status: found.status,
    headers: { "content-type": "application/json", ...HEADERS },
  });
}
