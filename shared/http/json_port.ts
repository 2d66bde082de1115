import { fromOsError } from "../net/os_error.ts";

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
  /** Answers of `GET`, by path. */
  routes: Record<string, () => PortAnswer | Promise<PortAnswer>>;
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
export function openJsonPort({ host, port, routes }: JsonPortInit): JsonPort {
  try {
    const handler = (request: Request) => answer(request, routes);
    const server = Deno.serve({ hostname: host, port, onListen: () => {} }, handler);
    const close = () => server.shutdown();
    return { address: { host: server.addr.hostname, port: server.addr.port }, close };
  } catch (error) {
    throw fromOsError(error, `listen on ${host}:${port}`);
  }
}

async function answer(request: Request, routes: JsonPortInit["routes"]): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (!Object.hasOwn(routes, pathname)) {
    const paths = Object.keys(routes).join(", ");
    return new Response(`Nothing is at ${pathname}, only at ${paths}\n`, { status: 404 });
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Only GET is answered\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  const found = await routes[pathname]!();
  const headers = { "cache-control": "no-store" };
  if ("text" in found) {
    return new Response(found.text, { headers: { ...headers, "content-type": found.contentType } });
  }
  return Response.json(found.body, { status: found.status, headers });
}
