import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { SallyportError } from "../../../shared/errors.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { OpeningMessage, StreamMessage } from "../../../shared/protocol/messages.ts";
import { openClientStream, spliceClient } from "../client/client_stream.ts";
import type { FrontDoorContext } from "../client/context.ts";
import { lingeringClose } from "../client/lingering_close.ts";
import { encodeHead } from "../refusals/raw_response.ts";
import { describeRequest, refuseAndClose, refuseRequest } from "../refusals/send_refusal.ts";
import { upgradeHeaders } from "./request_headers.ts";
import { parseRequestTarget } from "./request_target.ts";
import { validateRequest } from "./request_validation.ts";
import { ResponseForwarder } from "./response_forwarder.ts";

/** Whether a request asks for a WebSocket (RFC 6455 section 4.1); other upgrades are not forwarded. */
export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.method === "GET" && /(^|[\s,])websocket($|[\s,/])/i.test(request.headers.upgrade ?? "");
}

/**
 * Serves a request in absolute form that asks for a WebSocket (RFC 6455 section 4).
 *
 * @param head What the client sent after the request.
 */
export function handleUpgrade(
  context: FrontDoorContext,
  request: IncomingMessage,
  socket: Socket,
  head: Uint8Array,
): void {
  const refuse = (error: SallyportError) =>
    refuseAndClose(context, socket, { protocol: "websocket", error, ...describeRequest(request) });
  let opening: OpeningMessage;
  try {
    validateRequest(request, { mayHaveContent: false, authorize: context.authorize });
    opening = openingOf(request);
  } catch (reason) {
    return refuse(SallyportError.from(reason));
  }
  openClientStream(context, {
    socket,
    opening,
    early: head,
    interim: (message) => forwardInterim(request, socket, message),
    answered(stream, message) {
      if (isSwitchingProtocols(message)) switchProtocols(context, request, socket, stream, message, refuse);
      else forwardFinalResponse(context, request, socket, stream, message);
    },
    failed: refuse,
  });
}

type WebSocketAck = Extract<StreamMessage, { type: "websocket_ack" }>;

function isSwitchingProtocols(message: StreamMessage): message is WebSocketAck {
  return message.type === "websocket_ack" && message.payload.status === 101;
}

function openingOf(request: IncomingMessage): OpeningMessage {
  const { host, port, authority, path } = parseRequestTarget("GET", request.url ?? "", ["http", "ws"]);
  const headers = upgradeHeaders(request.rawHeaders, authority);
  return { type: "websocket_open", payload: { host, port, path, headers } };
}

/** Forwards a 1xx response other than 101; returns whether the message was one. */
function forwardInterim(request: IncomingMessage, socket: Socket, message: StreamMessage): boolean {
  if (message.type !== "websocket_ack" || message.payload.error !== undefined) return false;
  const { status = 0, reason = "", headers = [] } = message.payload;
  if (status >= 200 || status === 101 || status < 100) return false;
  if (request.httpVersionMinor > 0) socket.write(encodeHead(status, reason, headers));
  return true;
}

function switchProtocols(
  context: FrontDoorContext,
  request: IncomingMessage,
  socket: Socket,
  stream: MuxStream,
  message: WebSocketAck,
  refuse: (error: SallyportError) => void,
): void {
  const { reason = "", headers = [] } = message.payload;
  let head: Uint8Array;
  try {
    head = encodeHead(101, reason, headers);
  } catch (cause) {
    const error = SallyportError.from(cause, "target_protocol");
    stream.reset("cancelled", error.message);
    return refuse(error);
  }
  spliceClient(context, socket, stream, head, request.url ?? "");
}

/** The target did not switch protocols: forwards its response and closes the connection. */
function forwardFinalResponse(
  context: FrontDoorContext,
  request: IncomingMessage,
  socket: Socket,
  stream: MuxStream,
  message: StreamMessage,
): void {
  const response = lastResponse(context, request, socket);
  const forwarder = new ResponseForwarder({
    request,
    response,
    stream,
    refuse: (error) => refuseRequest(context, "websocket", request, response, error),
  });
  socket.once("close", () => stream.reset("cancelled", "the client went away"));
  stream.listen({
    data: (bytes) => forwarder.data(bytes),
    end: (trailers) => forwarder.end(trailers),
    closed: (error) => forwarder.closed(error),
  });
  stream.end();
  // What the client still sends is meaningless, but reading it is the only way to notice that the client leaves.
  socket.resume();
  forwarder.message(message);
}

/** A response on a connection that node:http has released; the connection closes after it. */
function lastResponse(context: FrontDoorContext, request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.on("error", () => {});
  response.assignSocket(socket);
  response.once("finish", () => {
    response.detachSocket(socket);
    lingeringClose(socket, context.clock);
  });
  return response;
}
