import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { SallyportError } from "../../../shared/errors.ts";
import type { FrontDoorContext, RefusedRequest } from "../client/context.ts";
import { lingeringClose } from "../client/lingering_close.ts";
import { consoleUrlFor, ownConsoleRule } from "./console_url.ts";
import { encodeRefusal } from "./raw_response.ts";
import { createRefusal } from "./refusal.ts";

/** Refuses a plain request or an upgrade; the connection stays open. */
export function refuseRequest(
  context: FrontDoorContext,
  protocol: RefusedRequest["protocol"],
  request: IncomingMessage,
  response: ServerResponse,
  error: SallyportError,
): void {
  const { target, shown, accept, method } = describeRequest(request);
  context.refused({ protocol, target, error });
  const console = consoleUrlFor(context, request.socket);
  const refusal = createRefusal(error, {
    ...{ target: shown, accept, method, console },
    retryAfterMs: context.retryAfterMs(error),
    rule: ownConsoleRule(context, request.url),
  });
  response.sendDate = false;
  response.writeHead(refusal.status, refusal.reason, refusal.headers);
  response.end(refusal.body);
}

/** How {@linkcode refuseAndClose} describes the request. */
export interface ClosingRefusal extends RefusedRequest {
  /** The request's method and target for the page. @default {target} */
  shown?: string;
  /** The request's `Accept` field. @default {none} */
  accept?: string | undefined;
  /** The request's method. @default {unknown} */
  method?: string | undefined;
  /** Whether the response must not have a body. @default false */
  headOnly?: boolean;
}

/**
 * Refuses a request and closes the connection, because nothing else can be served on it or because what follows
 * cannot be trusted. Further bytes from the client are discarded.
 */
export function refuseAndClose(context: FrontDoorContext, socket: Socket, refused: ClosingRefusal): void {
  const { protocol, target, error, shown = target, accept, method, headOnly = false } = refused;
  context.refused({ protocol, target, error });
  // node:http would otherwise keep feeding a parser that it has released.
  socket.removeAllListeners("data");
  const details = {
    ...(shown === "" ? {} : { target: shown }),
    accept,
    method,
    console: consoleUrlFor(context, socket),
    rule: protocol === "connect" ? ownConsoleRule(context, `http://${target}/`) : undefined,
    retryAfterMs: context.retryAfterMs(error),
  };
  lingeringClose(socket, context.clock, encodeRefusal(createRefusal(error, details), headOnly));
}

/** What {@linkcode refuseAndClose} needs to know about a request. */
export function describeRequest(
  request: IncomingMessage,
): Required<Pick<ClosingRefusal, "target" | "shown" | "headOnly" | "accept" | "method">> {
  const target = withoutSecrets(request.url ?? "");
  const { accept } = request.headers;
  const { method } = request;
  return { target, shown: `${method} ${target}`, headOnly: method === "HEAD", accept, method };
}

/** A URL for logs and pages, without user information and query, which often contain secrets. */
function withoutSecrets(url: string): string {
  return url.split("?", 1)[0]!.replace(/^(\w+:\/\/)[^/]*@/, "$1");
}
