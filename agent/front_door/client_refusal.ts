import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { SallyportError } from "../../shared/errors.ts";
import { closeGently } from "./close_gently.ts";
import type { FrontDoorContext, RefusedRequest } from "./context.ts";
import { encodeRefusal } from "./raw_response.ts";
import { refusalOf } from "./refusal.ts";

/** Tells the client of a plain request or of an upgrade why it was not served; its connection can go on. */
export function refuseRequest(
  context: FrontDoorContext,
  protocol: RefusedRequest["protocol"],
  request: IncomingMessage,
  response: ServerResponse,
  error: SallyportError,
): void {
  const { target, shown, accept } = describe(request);
  context.refused({ protocol, target, error });
  const refusal = refusalOf(error, { target: shown, accept, retryAfterMs: context.retryAfterMs(error) });
  response.sendDate = false;
  response.writeHead(refusal.status, refusal.reason, refusal.headers);
  response.end(refusal.body);
}

/** How {@linkcode refuseAndClose} names the request. */
export interface ClosingRefusal extends RefusedRequest {
  /** The request's method and target for the page. @default {target} */
  shown?: string;
  /** The request's field `Accept`. @default {none} */
  accept?: string | undefined;
  /** Whether the answer must not have a body. @default false */
  headOnly?: boolean;
}

/**
 * Tells a client why it was not served, and closes its connection: it cannot go on, or what follows on it
 * cannot be trusted. What the client still sends is not looked at.
 */
export function refuseAndClose(context: FrontDoorContext, socket: Socket, refused: ClosingRefusal): void {
  const { protocol, target, error, shown = target, accept, headOnly = false } = refused;
  context.refused({ protocol, target, error });
  // node:http would go on feeding a parser that it has let go.
  socket.removeAllListeners("data");
  const details = {
    ...(shown === "" ? {} : { target: shown }),
    accept,
    retryAfterMs: context.retryAfterMs(error),
  };
  closeGently(socket, context.clock, encodeRefusal(refusalOf(error, details), headOnly));
}

/** What {@linkcode refuseAndClose} needs to know of a request. */
export function describe(
  request: IncomingMessage,
): Required<Pick<ClosingRefusal, "target" | "shown" | "headOnly" | "accept">> {
  const target = withoutSecrets(request.url ?? "");
  const { accept } = request.headers;
  return { target, shown: `${request.method} ${target}`, headOnly: request.method === "HEAD", accept };
}

/** A URL for logs and pages: credentials and queries often hold what nobody else should read. */
function withoutSecrets(url: string): string {
  return url.split("?", 1)[0]!.replace(/^(\w+:\/\/)[^/]*@/, "$1");
}
