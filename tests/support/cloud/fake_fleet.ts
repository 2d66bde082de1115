import { type Action, ACTIONS } from "../../../shared/cloud/call.ts";
import type { FleetStatus } from "../../../shared/cloud/fleet_status.ts";
import { systemClock } from "../../../shared/system_clock.ts";
import { parseAuthorities } from "../../../shared/tls/certificates.ts";
import { Gatekeeper } from "../../../lambdas/caller.ts";
import { type HttpOrigin, type ServingCertificate, startHttpOrigin } from "../http_origin.ts";

/** The cloud's functions as one test plays them; who calls is judged as in the real ones. */
export class FakeFleet implements AsyncDisposable {
  /** What the functions answer. */
  status: FleetStatus = { state: "stopped", servers: [] };
  /** What wakes it; by default it is starting then. */
  onWake: () => void | Promise<void> = () => {
    if (this.status.state === "stopped") this.status = { state: "starting", servers: [] };
  };
  /** Answers in place of the functions. */
  answer: ((action: Action) => Response | Promise<Response | undefined> | undefined) | undefined;
  readonly #calls: Action[] = [];
  readonly #gate = new Gatekeeper(systemClock);
  readonly #origin: HttpOrigin;
  readonly #scheme: "http" | "https";

  /**
   * @param caPem The CA whose clients may call.
   * @param tls Makes the functions' addresses `https:`, as they are in the cloud, with this certificate.
   */
  constructor(readonly caPem: string, tls?: ServingCertificate) {
    this.#origin = startHttpOrigin((request) => this.#serve(request), tls);
    this.#scheme = tls === undefined ? "http" : "https";
  }

  /** Where the functions are, as CONNECT has it. */
  get host(): string {
    return this.#origin.host;
  }

  /** Keys of an agent's file that name its functions. */
  get keys(): Record<string, unknown> {
    const url = (action: Action) => `${this.#scheme}://${this.#origin.host}/${action}`;
    return {
      server_ip: "",
      // Where the cloud tells where the server is, this says nothing.
      server_port: 1,
      wake_endpoint: url("wake"),
      query_endpoint: url("query"),
      kill_endpoint: url("kill"),
    };
  }

  /** How often a function was called by somebody who may. */
  count(action: Action): number {
    return this.#calls.filter((call) => call === action).length;
  }

  /** Servers run at these ports of 127.0.0.1. */
  run(...ports: number[]): void {
    this.status = { state: "running", servers: ports.map((port) => ({ ip: "127.0.0.1", port })) };
  }

  async #serve(request: Request): Promise<Response> {
    const { pathname, hostname } = new URL(request.url);
    const action = ACTIONS.find((each) => pathname === `/${each}`);
    if (action === undefined) return new Response("", { status: 404 });
    const authorities = parseAuthorities({ bytes: new TextEncoder().encode(this.caPem), name: "of a test" });
    const authorization = request.headers.get("authorization") ?? undefined;
    const call = { action, authorization, method: request.method, host: hostname, path: pathname };
    try {
      await this.#gate.admit(call, { authorities, revocation: () => Promise.resolve(undefined) });
    } catch {
      return new Response("", { status: 401 });
    }
    this.#calls.push(action);
    const instead = await this.answer?.(action);
    if (instead !== undefined) return instead;
    if (action === "wake") await this.onWake();
    if (action === "kill") this.status = { state: "stopped", servers: [] };
    return Response.json(this.status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#origin[Symbol.asyncDispose]();
  }
}
