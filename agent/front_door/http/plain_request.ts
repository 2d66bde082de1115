import type { IncomingMessage, ServerResponse } from "node:http";
import { SallyportError } from "../../../shared/errors.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { OpeningMessage } from "../../../shared/protocol/messages.ts";
import type { FrontDoorContext } from "../client/context.ts";
import { shouldRetry } from "../client/stream_retry.ts";
import { RequestError } from "../refusals/request_error.ts";
import { describeRequest, refuseAndClose, refuseRequest } from "../refusals/send_refusal.ts";
import type { HttpConnection, OngoingRequest } from "./http_connection.ts";
import { infoPageAuthority, sendInfoPage } from "./info_page.ts";
import {
  closeIfContinueIsPending,
  discardRequestBody,
  hasRequestBody,
  requestTrailers,
} from "./request_body.ts";
import { requestHeaders } from "./request_headers.ts";
import { parseRequestTarget } from "./request_target.ts";
import { validateRequest } from "./request_validation.ts";
import { ResponseForwarder } from "./response_forwarder.ts";

/**
 * Serves one request in absolute form (RFC 9112 section 3.2.2). Pipelined requests wait for those before them,
 * because they may not be safe to run concurrently (RFC 9112 section 9.3.2).
 */
export function handlePlainRequest(
  context: FrontDoorContext,
  connection: HttpConnection,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const exchange = new PlainExchange(context, request, response);
  response.once("close", connection.requestStarted(exchange));
  // Clients often break off; the exchange notices by the socket's "close".
  request.on("error", () => {});
  response.on("error", () => {});
  const start = () => {
    if (!request.destroyed) exchange.start();
  };
  if (response.socket === null) response.once("socket", start);
  else start();
}

type ExchangeState =
  /** Requests before this one still wait for their responses; its body may already have proved invalid. */
  | { readonly name: "queued"; readonly bodyError?: RequestError }
  /** The request is being validated, or a stream is being opened for it. */
  | { readonly name: "opening" }
  /** The request goes to the stream, and the response comes from it. */
  | {
    readonly name: "forwarding";
    readonly stream: MuxStream;
    readonly forwarder: ResponseForwarder;
    /** Whether more of the body is to be sent. */
    readonly isSending: boolean;
  }
  /** The client got a refusal; the stream may still be open. */
  | { readonly name: "refused"; readonly stream: MuxStream | undefined }
  /** The stream is closed. */
  | { readonly name: "closed" }
  /** The client has gone away, or sent an invalid body. */
  | { readonly name: "aborted" };

/** One request and its response. */
class PlainExchange implements OngoingRequest {
  readonly #context: FrontDoorContext;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #hasBody: boolean;
  #state: ExchangeState = { name: "queued" };

  constructor(context: FrontDoorContext, request: IncomingMessage, response: ServerResponse) {
    this.#context = context;
    this.#request = request;
    this.#response = response;
    this.#hasBody = hasRequestBody(request);
  }

  get complete(): boolean {
    return this.#request.complete;
  }

  /** The responses before are complete: what the client gets from now on concerns this request. */
  start(): void {
    const bodyError = this.#state.name === "queued" ? this.#state.bodyError : undefined;
    this.#setState({ name: "opening" });
    if (bodyError !== undefined) return this.#refuse(bodyError);
    const authority = infoPageAuthority(this.#request);
    if (authority !== undefined) return sendInfoPage(this.#context, this.#request, authority);
    let opening: OpeningMessage;
    try {
      validateRequest(this.#request, { mayHaveContent: true, authorize: this.#context.authorize });
      opening = openingOf(this.#request);
    } catch (reason) {
      return this.#refuse(SallyportError.from(reason));
    }
    // The packet with the head may contain an invalid body: then nothing is sent to the server.
    if (this.#hasBody) queueMicrotask(() => this.#begin(opening));
    else this.#begin(opening);
  }

  bodyFailed(error: RequestError): void {
    switch (this.#state.name) {
      case "queued":
        return this.#setState({ name: "queued", bodyError: error });
      case "aborted":
        return;
      default:
        this.#abort(error.message);
    }
    // A response that has started cannot be taken back.
    if (this.#response.headersSent) this.#request.socket.destroy();
    else this.#refuse(error);
  }

  get #stream(): MuxStream | undefined {
    return "stream" in this.#state ? this.#state.stream : undefined;
  }

  #setState(state: ExchangeState): void {
    this.#state = state;
  }

  #begin(opening: OpeningMessage): void {
    if (this.#state.name === "aborted") return;
    this.#request.socket.once("close", this.#onClientGone);
    this.#request.once("aborted", this.#onClientGone);
    this.#open(opening);
  }

  #open(opening: OpeningMessage): void {
    this.#setState({ name: "opening" });
    const first = this.#hasBody ? undefined : { end: true };
    Promise.try(() => this.#context.openStream(opening, first)).then(
      (stream) => this.#opened(stream),
      (reason) => this.#streamClosed(SallyportError.from(reason)),
    ).catch((reason) => this.#context.log.warn("request handler failed", { error: String(reason) }));
  }

  #opened(stream: MuxStream): void {
    if (this.#state.name === "aborted") return stream.reset("cancelled", "the client went away");
    const forwarder = new ResponseForwarder({
      request: this.#request,
      response: this.#response,
      stream,
      refuse: (error) => this.#refuse(error),
    });
    this.#setState({ name: "forwarding", stream, forwarder, isSending: this.#hasBody });
    stream.listen({
      message: (message) => forwarder.message(message),
      data: (bytes) => forwarder.data(bytes),
      end: (trailers) => forwarder.end(trailers),
      drain: () => this.#request.resume(),
      closed: (error) => {
        const isWaiting = this.#state.name !== "aborted";
        if (shouldRetry(stream, { isWaiting, isReplayable: !this.#hasBody })) this.#open(stream.opening);
        else this.#streamClosed(error);
      },
    });
    if (this.#hasBody) this.#sendBody();
    stream.resume();
  }

  #sendBody(): void {
    const request = this.#request;
    request.on("data", (bytes: Uint8Array) => {
      const state = this.#state;
      if (state.name === "forwarding" && state.isSending && !state.stream.write(bytes)) request.pause();
    });
    request.once("end", () => {
      const state = this.#state;
      if (state.name !== "forwarding" || !state.isSending) return;
      this.#setState({ ...state, isSending: false });
      state.stream.end(requestTrailers(request));
    });
  }

  /** The stream is closed, or could not be opened. */
  #streamClosed(error: SallyportError | undefined): void {
    const state = this.#state;
    if (state.name !== "aborted") this.#setState({ name: "closed" });
    this.#leave();
    if (state.name === "forwarding") state.forwarder.closed(error);
    else if (state.name === "opening") {
      this.#refuse(error ?? new SallyportError("internal", "the stream ended without a response"));
    }
  }

  #refuse(error: SallyportError): void {
    const stream = this.#stream;
    if (this.#state.name !== "aborted") this.#setState({ name: "refused", stream });
    if (error instanceof RequestError && error.closes) {
      return refuseAndClose(this.#context, this.#request.socket, {
        ...{ protocol: "http", error, ...describeRequest(this.#request) },
      });
    }
    stream?.end();
    closeIfContinueIsPending(this.#request, this.#response);
    if (this.#response.socket === null || this.#response.destroyed) return;
    refuseRequest(this.#context, "http", this.#request, this.#response, error);
    discardRequestBody(this.#context, this.#request, this.#response);
  }

  /** Resets the stream, if there is one. */
  #abort(reason: string): void {
    const stream = this.#stream;
    this.#setState({ name: "aborted" });
    this.#leave();
    stream?.reset("cancelled", reason);
  }

  /** Stops watching the client; the rest of its body is discarded. */
  #leave(): void {
    this.#request.socket.removeListener("close", this.#onClientGone);
    this.#request.removeListener("aborted", this.#onClientGone);
    discardRequestBody(this.#context, this.#request, this.#response);
  }

  readonly #onClientGone = () => {
    if (this.#state.name === "aborted") return;
    this.#abort("the client went away");
    this.#request.socket.destroy();
  };
}

function openingOf(request: IncomingMessage): OpeningMessage {
  const method = request.method ?? "";
  const { host, port, authority, path } = parseRequestTarget(method, request.url ?? "", ["http"]);
  const headers = requestHeaders(request.rawHeaders, authority);
  return { type: "http_request", payload: { method, host, port, path, headers } };
}
