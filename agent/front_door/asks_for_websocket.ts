import type { IncomingMessage } from "node:http";

/** Tells whether a request asks for a WebSocket (RFC 6455 section 4.1); other upgrades are not passed on. */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return request.method === "GET" && /(^|[\s,])websocket($|[\s,/])/i.test(request.headers.upgrade ?? "");
}
