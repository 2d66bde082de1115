import { printableJson } from "../text/sanitize.ts";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { SallyportError } from "../errors.ts";
import type { LimitFigures } from "../limits/shared_limit.ts";
import { Acceptor } from "../net/acceptor.ts";
import { hostPort } from "../net/host_port.ts";
import { systemClock } from "../system_clock.ts";
import { ConnectionLimiter, type ConnectionLimits } from "./connection_limiter.ts";

/** Bytes of a request's line and header section. */
const MAX_HEAD = 8_192;

/** JSON with which a path of a {@linkcode JsonPort} responds. */
export interface JsonResponse {
  /** HTTP status code. */
  status: number;
  body: unknown;
}

/** Other text with which a path responds, always with status 200. */
export interface TextResponse {
  contentType: string;
  text: string;
  /** Further header fields. @default {none} */
  headers?: Readonly<Record<string, string>>;
}

/** The response of one path. */
export type PortResponse = JsonResponse | TextResponse;

/** Options of {@linkcode openJsonPort}. */
export interface JsonPortInit {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** Host names that requests may use, against DNS rebinding. @default {any} */
  hosts?: readonly string[];
  /** Responses to `GET`, by path; they may depend on the request's `Accept` field. */
  routes: Record<string, (accept?: string) => PortResponse | Promise<PortResponse>>;
  /** The port did not accept connections for a while, and why; it has been reopened. */
  onError(error: SallyportError): void;
  /** The port is open again after an `onError`, `downMs` milliseconds later. */
  onReopened?(downMs: number): void;
  /** @default the machine's clock */
  clock?: Clock;
  /** @default {32 connections, 5 s for a request and 5 s for a response} */
  limits?: Partial<ConnectionLimits>;
}

/** A port that reports a program's state. */
export interface JsonPort {
  address: { host: string; port: number };
  /** Connections: how many are open, and how many were evicted or refused. */
  figures(): LimitFigures;
  /** Closes the port, after the responses in progress are sent. */
  close(): Promise<void>;
}

/**
 * Serves JSON on a few paths, for health checks and status pages: one request per connection, few connections at once,
 * and a deadline for each, since any program that reaches the port may ask.
 *
 * @throws {SallyportError} When it cannot listen there.
 */
export async function openJsonPort(init: JsonPortInit): Promise<JsonPort> {
  const { host, port, onError, onReopened, clock = systemClock } = init;
  const connections = new ConnectionLimiter(clock, init.limits);
  const server = createHttpServer(init, connections);
  const serve = (socket: Socket) => void server.emit("connection", socket);
  const acceptor = await Acceptor.open({
    host,
    port,
    allowHalfOpen: true,
    clock,
    onConnection: (socket) => connections.add(socket) && serve(socket),
    // A server that is full is still healthy, so that its health check is answered.
    onCrowded: (socket) => connections.addCrowded(socket) && serve(socket),
    onError,
    ...onReopened !== undefined && { onReopened },
  });
  return {
    address: { host: acceptor.address.address, port: acceptor.address.port },
    figures: () => connections.figures(),
    close() {
      acceptor.close();
      return connections.close();
    },
  };
}

/** A node:http server that is given its connections. */
function createHttpServer(init: JsonPortInit, connections: ConnectionLimiter): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEAD,
    // ConnectionLimiter enforces deadlines: node:http does so only if it listens itself.
    keepAliveTimeout: 0,
    requestTimeout: 0,
    headersTimeout: 0,
  });
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    connections.responding(request.socket);
    response.shouldKeepAlive = false;
    const { status, headers, text } = await respond(request, init).catch(() => INTERNAL_ERROR);
    const body = new TextEncoder().encode(text);
    response.writeHead(status, { ...headers, "content-length": body.length });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  server.on("request", handle);
  server.on("checkContinue", handle);
  server.on("checkExpectation", handle);
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!error.code?.startsWith("HPE_") || !socket.writable) return void socket.destroy();
    const reason = error.code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : "400 Bad Request";
    connections.responding(socket);
    socket.write(`HTTP/1.1 ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    socket.destroySoon();
  });
  return server;
}

interface PlainResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Web pages may neither read a response nor run it as a script. */
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
};

/** Thrown errors are not logged: any program that reaches the port could fill the log. */
const INTERNAL_ERROR = plain(500, "internal error");

async function respond(
  request: IncomingMessage,
  { routes, hosts }: Pick<JsonPortInit, "routes" | "hosts">,
): Promise<PlainResponse> {
  const url = urlOf(request);
  if (url === null) return plain(400, "invalid Host header");
  const { pathname, hostname: asked } = url;
  if (hosts !== undefined && !hosts.includes(asked)) {
    return plain(421, `unknown host: ${asked}; use ${hosts.join(", ")}`);
  }
  if (!Object.hasOwn(routes, pathname)) {
    return plain(404, `not found: ${pathname}; paths: ${Object.keys(routes).join(", ")}`);
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plain(405, "method not allowed; use GET", { allow: "GET, HEAD" });
  }
  const found = await routes[pathname]!(request.headers.accept);
  if ("text" in found) {
    return {
      status: 200,
      headers: { ...HEADERS, ...found.headers, "content-type": found.contentType },
      text: found.text,
    };
  }
  const headers = { ...HEADERS, "content-type": "application/json" };
  return { status: found.status, headers, text: printableJson(JSON.stringify(found.body)) };
}

/** The URL of the request; HTTP/1.0 may omit the host, which is then the address that was reached. */
function urlOf({ url = "/", headers: { host }, socket: { localAddress = "localhost" } }: IncomingMessage) {
  if (!url.startsWith("/")) return URL.parse(url);
  return URL.parse(`http://${host ?? hostPort(localAddress, 80)}${url}`);
}

function plain(status: number, text: string, headers: Record<string, string> = {}): PlainResponse {
  return { status, headers: { "content-type": "text/plain;charset=UTF-8", ...headers }, text: `${text}\n` };
}
