import { escapeForDisplay } from "../display_json.ts";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { SallyportError } from "../errors.ts";
import type { LimitFigures } from "../limits/shared_limit.ts";
import { Acceptor } from "../net/acceptor.ts";
import { hostPort } from "../net/host_port.ts";
import { systemClock } from "../system_clock.ts";
import { type ShortConnectionLimits, ShortConnections } from "./short_connections.ts";

/** Bytes of a request's line and headers. */
const MAX_HEAD = 8_192;

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
  /** The port took no connections for a while, and why; it is opened again. */
  onTrouble(error: SallyportError): void;
  /** @default the machine's clock */
  clock?: Clock;
  /** @default {32 connections, 5 s for a head and 5 s for an answer} */
  limits?: Partial<ShortConnectionLimits>;
}

/** A port that tells a program's state. */
export interface JsonPort {
  address: { host: string; port: number };
  /** Connections: how many are open, and how many were closed for others or refused. */
  figures(): LimitFigures;
  /** Frees the port; answers under way are finished. */
  close(): Promise<void>;
}

/**
 * Answers `GET` of a few paths with JSON, for health checks and status displays: one request a connection, few
 * connections at once, and a time limit on each, since whoever reaches the port may ask.
 *
 * @throws {SallyportError} When it cannot listen there.
 */
export async function openJsonPort(init: JsonPortInit): Promise<JsonPort> {
  const { host, port, onTrouble, clock = systemClock } = init;
  const connections = new ShortConnections(clock, init.limits);
  const server = createAnswering(init, connections);
  const serve = (socket: Socket) => void server.emit("connection", socket);
  const acceptor = await Acceptor.open({
    host,
    port,
    allowHalfOpen: true,
    clock,
    onConnection: (socket) => connections.add(socket) && serve(socket),
    // A server that is full is not ill: its health check finds room.
    onCrowded: (socket) => connections.addCrowded(socket) && serve(socket),
    onTrouble,
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

/** A node:http server that is handed its connections. */
function createAnswering(init: JsonPortInit, connections: ShortConnections): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEAD,
    // ShortConnections keeps the time: node:http would only begin to when it listens, and it does not.
    keepAliveTimeout: 0,
    requestTimeout: 0,
    headersTimeout: 0,
  });
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    connections.answering(request.socket);
    response.shouldKeepAlive = false;
    const { status, headers, text } = await answer(request, init).catch(() => FAULT);
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
    connections.answering(socket);
    socket.write(`HTTP/1.1 ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    socket.destroySoon();
  });
  return server;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Pages of the web may neither read an answer nor run it as a script of theirs. */
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
};

/** It would otherwise be logged, for every request of a stranger. */
const FAULT = plain(500, "A fault of this program");

async function answer(
  request: IncomingMessage,
  { routes, hosts }: Pick<JsonPortInit, "routes" | "hosts">,
): Promise<Answer> {
  const url = urlOf(request);
  if (url === null) return plain(400, "Cannot read the field Host");
  const { pathname, hostname: asked } = url;
  if (hosts !== undefined && !hosts.includes(asked)) {
    return plain(421, `Nothing is called ${asked} here, only ${hosts.join(", ")}`);
  }
  if (!Object.hasOwn(routes, pathname)) {
    return plain(404, `Nothing is at ${pathname}, only at ${Object.keys(routes).join(", ")}`);
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plain(405, "Only GET is answered", { allow: "GET, HEAD" });
  }
  const found = await routes[pathname]!();
  if ("text" in found) {
    return { status: 200, headers: { ...HEADERS, "content-type": found.contentType }, text: found.text };
  }
  const headers = { ...HEADERS, "content-type": "application/json" };
  return { status: found.status, headers, text: escapeForDisplay(JSON.stringify(found.body)) };
}

/** What the request names; HTTP/1.0 may leave the host out, which is then the address that was reached. */
function urlOf({ url = "/", headers: { host }, socket: { localAddress = "localhost" } }: IncomingMessage) {
  if (!url.startsWith("/")) return URL.parse(url);
  return URL.parse(`http://${host ?? hostPort(localAddress, 80)}${url}`);
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Answer {
  return { status, headers: { "content-type": "text/plain;charset=UTF-8", ...headers }, text: `${text}\n` };
}
