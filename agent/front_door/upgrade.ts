import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { SallyportError } from "../../shared/errors.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { OpeningMessage, StreamMessage } from "../../shared/protocol/messages.ts";
import { admit } from "./admission.ts";
import { describe, refuseAndClose, refuseRequest } from "./client_refusal.ts";
import { closeGently } from "./close_gently.ts";
import type { FrontDoorContext } from "./context.ts";
import { encodeHead } from "./raw_response.ts";
import { upgradeHeaders } from "./request_headers.ts";
import { parseRequestTarget } from "./request_target.ts";
import { ResponseRelay } from "./response_relay.ts";
import { joinTunnel } from "./tunnel.ts";
import { attemptTunnel } from "./tunnel_attempt.ts";

/**
 * Serves a request in absolute form that asks for a WebSocket (RFC 6455 section 4).
 * @param head What the client sent behind the request.
 */
export function handleUpgrade(
  context: FrontDoorContext,
  request: IncomingMessage,
  socket: Socket,
  head: Uint8Array,
): void {
  const refuse = (error: SallyportError) =>
    refuseAndClose(context, socket, { protocol: "websocket", error, ...describe(request) });
  let opening: OpeningMessage;
  try {
    admit(request, { mayHaveContent: false, authorize: context.authorize });
    opening = openingOf(request);
  } catch (reason) {
    return refuse(SallyportError.from(reason));
  }
  attemptTunnel(context, {
    socket,
    opening,
    early: head,
    interim: (message) => passInterim(request, socket, message),
    answered(stream, message) {
      if (isSwitch(message)) switchOver(context, request, socket, stream, message, refuse);
      else passRefusal(context, request, socket, stream, message);
    },
    failed: refuse,
  });
}

type WebSocketAck = Extract<StreamMessage, { type: "websocket_ack" }>;

function isSwitch(message: StreamMessage): message is WebSocketAck {
  return message.type === "websocket_ack" && message.payload.status === 101;
}

function openingOf(request: IncomingMessage): OpeningMessage {
  const { host, port, authority, path } = parseRequestTarget("GET", request.url ?? "", ["http", "ws"]);
  const headers = upgradeHeaders(request.rawHeaders, authority);
  return { type: "websocket_open", payload: { host, port, path, headers } };
}

/** Passes on a 1xx other than 101. */
function passInterim(request: IncomingMessage, socket: Socket, message: StreamMessage): boolean {
  if (message.type !== "websocket_ack" || message.payload.error !== undefined) return false;
  const { status = 0, reason = "", headers = [] } = message.payload;
  if (status >= 200 || status === 101 || status < 100) return false;
  if (request.httpVersionMinor > 0) socket.write(encodeHead(status, reason, headers));
  return true;
}

function switchOver(
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
  joinTunnel(context, socket, stream, head, request.url ?? "");
}

/** The target said no: its answer goes to the client, and the connection closes. */
function passRefusal(
  context: FrontDoorContext,
  request: IncomingMessage,
  socket: Socket,
  stream: MuxStream,
  message: StreamMessage,
): void {
  const response = lastResponse(context, request, socket);
  const relay = new ResponseRelay({
    request,
    response,
    stream,
    refuse: (error) => refuseRequest(context, "websocket", request, response, error),
  });
  socket.once("close", () => stream.reset("cancelled", "the client went away"));
  stream.listen({
    data: (bytes) => relay.data(bytes),
    end: (trailers) => relay.end(trailers),
    closed: (error) => relay.closed(error),
  });
  stream.end();
  // Whatever the client still sends has no meaning; reading it is how its departure is noticed.
  socket.resume();
  relay.message(message);
}

/** A response on a connection that node:http has let go, and that closes after it. */
function lastResponse(context: FrontDoorContext, request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.on("error", () => {});
  response.assignSocket(socket);
  response.once("finish", () => {
    response.detachSocket(socket);
    closeGently(socket, context.clock);
  });
  return response;
}
