import type { IncomingMessage, ServerResponse } from "node:http";
import { SallyportError } from "../../shared/errors.ts";
import { listedTokens, removeFromTrailers } from "../../shared/http/headers.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { HeaderList, OpeningMessage } from "../../shared/protocol/messages.ts";
import { refuseRequest } from "./client_refusal.ts";
import type { FrontDoorContext } from "./context.ts";
import { closeIfBodyIsDoubtful } from "./doubtful_body.ts";
import { dropRest } from "./drop_rest.ts";
import type { HttpConnection } from "./http_connection.ts";
import { requestHeaders } from "./request_headers.ts";
import { parseRequestTarget, RequestTargetError } from "./request_target.ts";
import { ResponseRelay } from "./response_relay.ts";

/**
 * Serves one request in absolute form (RFC 9112 section 3.2.2). Requests that were pipelined wait for those
 * before them: they need not be safe to run side by side (RFC 9112 section 9.3.2).
 */
export function handlePlainRequest(
  context: FrontDoorContext,
  connection: HttpConnection,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.once("close", connection.began());
  // A client that breaks off is an everyday event; the exchange hears of it by the socket's "close".
  request.on("error", () => {});
  response.on("error", () => {});
  const serve = () => {
    if (!request.destroyed) new PlainExchange(context, request, response).start();
  };
  if (response.socket === null) response.once("socket", serve);
  else serve();
}

class PlainExchange {
  readonly #context: FrontDoorContext;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #hasBody: boolean;
  #stream: MuxStream | undefined;
  #relay: ResponseRelay | undefined;
  /** Whether the request is wholly in the stream, or nobody wants the rest. */
  #sent = false;
  #gone = false;

  constructor(context: FrontDoorContext, request: IncomingMessage, response: ServerResponse) {
    this.#context = context;
    this.#request = request;
    this.#response = response;
    this.#hasBody = hasBody(request);
  }

  start(): void {
    let opening: OpeningMessage;
    try {
      opening = openingOf(this.#request);
    } catch (reason) {
      return this.#refuse(SallyportError.from(reason));
    }
    this.#request.socket.once("close", this.#onGone);
    this.#request.once("aborted", this.#onGone);
    this.#open(opening);
  }

  #open(opening: OpeningMessage): void {
    const first = this.#hasBody ? undefined : { end: true };
    Promise.try(() => this.#context.openStream(opening, first)).then(
      (stream) => this.#opened(stream),
      (reason) => this.#over(SallyportError.from(reason)),
    ).catch((reason) => this.#context.log.warn("A request's handler failed", { error: String(reason) }));
  }

  #opened(stream: MuxStream): void {
    if (this.#gone) return stream.reset("cancelled", "the client went away");
    this.#stream = stream;
    const relay = this.#relay = new ResponseRelay({
      request: this.#request,
      response: this.#response,
      stream,
      refuse: (error) => this.#refuse(error),
    });
    stream.listen({
      message: (message) => relay.message(message),
      data: (bytes) => relay.data(bytes),
      end: (trailers) => relay.end(trailers),
      drain: () => this.#request.resume(),
      closed: (error) => {
        // The server was leaving, and another one, or its next life, may serve this; a body would be gone.
        if (stream.unseen && !this.#hasBody && !this.#gone) this.#open(stream.opening);
        else this.#over(error);
      },
    });
    if (this.#hasBody) this.#sendBody(stream);
    else this.#sent = true;
    stream.resume();
  }

  #sendBody(stream: MuxStream): void {
    const request = this.#request;
    request.on("data", (bytes: Uint8Array) => {
      if (!this.#sent && !stream.write(bytes)) request.pause();
    });
    request.once("end", () => {
      if (!this.#sent) stream.end(trailersOf(request));
      this.#sent = true;
    });
  }

  /** The stream is over, or was never opened. */
  #over(error: SallyportError | undefined): void {
    this.#leave();
    if (this.#gone) return;
    if (this.#relay !== undefined) this.#relay.closed(error);
    else this.#refuse(error ?? new SallyportError("internal", "the stream ended unanswered"));
  }

  #refuse(error: SallyportError): void {
    this.#sent = true;
    this.#stream?.end();
    closeIfBodyIsDoubtful(this.#request, this.#response);
    if (this.#response.socket === null || this.#response.destroyed) return;
    refuseRequest(this.#context, "http", this.#request, this.#response, error);
    dropRest(this.#context, this.#request, this.#response);
  }

  #leave(): void {
    this.#sent = true;
    this.#request.socket.removeListener("close", this.#onGone);
    this.#request.removeListener("aborted", this.#onGone);
    dropRest(this.#context, this.#request, this.#response);
  }

  readonly #onGone = () => {
    if (this.#gone) return;
    this.#gone = true;
    this.#leave();
    this.#stream?.reset("cancelled", "the client went away");
    this.#request.socket.destroy();
  };
}

function openingOf(request: IncomingMessage): OpeningMessage {
  const method = request.method ?? "";
  const { host, port, authority, path } = parseRequestTarget(method, request.url ?? "", ["http"]);
  requireKnownCoding(request);
  const headers = requestHeaders(request.rawHeaders, authority);
  return { type: "http_request", payload: { method, host, port, path, headers } };
}

/** A coding that is taken off here would be missing at the origin (RFC 9112 section 6.1). */
function requireKnownCoding({ rawHeaders }: IncomingMessage): void {
  const codings = listedTokens(rawHeaders, "transfer-encoding");
  if (codings.length === 0 || codings.length === 1 && codings[0] === "chunked") return;
  const problem = `Cannot pass the body on: its transfer coding is ${
    codings.join(", ")
  }, only chunked is known`;
  throw new RequestTargetError(problem, 501);
}

/** RFC 9112 section 6.3. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function trailersOf(request: IncomingMessage): HeaderList | undefined {
  const trailers = removeFromTrailers(request.rawTrailers);
  return trailers.length > 0 ? trailers : undefined;
}
