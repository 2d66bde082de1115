import { type ClientRequest, type IncomingMessage, request as startRequest } from "node:http";
import { SallyportError } from "../errors.ts";
import { removeFromTrailers } from "../http/headers.ts";
import type { MuxStream } from "../mux/stream/stream.ts";
import { hostPort } from "../net/host_port.ts";
import { IdleTimer } from "../net/idle_timer.ts";
import { PartWriter } from "../net/part_writer.ts";
import { type HeaderList, MAX_INTERIM, type Payload } from "../protocol/messages.ts";
import { countOf } from "../text/count_of.ts";
import { StreamAccounting } from "./accounting.ts";
import type { ForwardContext } from "./context.ts";
import { filterOf } from "./filter/filtered_socket.ts";
import { originError } from "./http/origin_error.ts";
import type { OriginRequest } from "./http/origin_pool.ts";
import { authenticatesConnection, type RequestHead, requestHead } from "./http/request_head.ts";
import { type RawHead, relayBody, responseHead } from "./http/response.ts";
import { mayRetry } from "./http/origin_retry.ts";
import { refuse } from "./refuse.ts";

/** Bytes of a response's head that are read. */
const MAX_HEAD_BYTES = 65_536;

/**
 * Serves an `http_request`: sends it to the origin on a pooled connection and relays the response, with its interim
 * responses, body and trailers.
 *
 * A failure before the response is answered by `http_response` with its error. One in the middle of the body resets
 * the stream, so that the client never takes it for the end.
 */
export function forwardHttp(stream: MuxStream, context: ForwardContext): void {
  new HttpExchange(stream, context).begin();
}

/** A request on its way to the origin. */
interface Sending {
  readonly request: ClientRequest;
  readonly writer: PartWriter;
  /** All that is kept of the head. */
  readonly framing: RequestHead["framing"];
}

type State =
  /** The request has not started; what has already come of its body waits. */
  | { readonly name: "starting"; readonly body: Uint8Array[]; readonly trailers?: HeaderList | undefined }
  /** The request is being sent, or its response is awaited. */
  | { readonly name: "requesting"; readonly sending: Sending }
  /** The response's head has been relayed. */
  | { readonly name: "responding"; readonly sending: Sending; readonly response: IncomingMessage }
  /** The response has been relayed to its end, or the failure has been reported. */
  | { readonly name: "over"; readonly sending: Sending | undefined };

class HttpExchange {
  readonly #stream: MuxStream;
  readonly #context: ForwardContext;
  readonly #payload: Payload<"http_request">;
  readonly #target: string;
  readonly #accounting: StreamAccounting;
  readonly #idle: IdleTimer;
  readonly #abort = new AbortController();
  readonly #dialed: OriginRequest = {
    dial: (host, port) => this.#context.dial(host, port, this.#abort.signal),
  };
  #state: State = { name: "starting", body: [] };
  /** Bytes of the request's body so far. */
  #bodyBytes = 0;
  /** The client has sent all of its request. */
  #requestEnded = false;
  #interimResponses = 0;
  #isRetry = false;

  constructor(stream: MuxStream, context: ForwardContext) {
    this.#stream = stream;
    this.#context = context;
    this.#payload = stream.opening.payload as Payload<"http_request">;
    this.#target = hostPort(this.#payload.host, this.#payload.port);
    this.#accounting = new StreamAccounting(stream, context);
    const { clock, idleTimeoutMs: timeoutMs, onActive } = context;
    this.#idle = new IdleTimer({ clock, timeoutMs, onIdle: () => this.#idled(timeoutMs), onActive });
  }

  begin(): void {
    const stream = this.#stream;
    stream.listen({
      data: (bytes) => this.#body(bytes),
      end: (trailers) => this.#end(trailers),
      drain: () => this.#state.name === "responding" && this.#state.response.resume(),
      closed: (error) => this.#closed(error),
    });
    // An end that comes with the opening message is reported right after the stream itself. Whether there is a
    // body decides what goes into the head.
    queueMicrotask(() => {
      if (stream.over) return;
      stream.resume();
      const { kept, fresh } = this.#context.origins;
      if (!stream.over) this.#start(authenticatesConnection(this.#payload.headers) ? fresh : kept);
    });
  }

  #setState(state: State): void {
    this.#state = state;
  }

  get #sending(): Sending | undefined {
    return this.#state.name === "starting" ? undefined : this.#state.sending;
  }

  #start(agent: ForwardContext["origins"]["kept"]): void {
    const early = this.#state.name === "starting" ? this.#state : undefined;
    try {
      const sending = this.#send(agent);
      this.#setState({ name: "requesting", sending });
      this.#watch(sending.request);
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
      return;
    }
    for (const bytes of early?.body ?? []) this.#write(bytes);
    if (this.#requestEnded) this.#finishRequest(early?.trailers);
    else this.#sending!.request.flushHeaders();
  }

  #send(agent: ForwardContext["origins"]["kept"]): Sending {
    const { host, port } = this.#payload;
    const keepAlive = agent === this.#context.origins.kept;
    // An empty body that has trailers needs its framing: without it they would be lost.
    const hasTrailers = this.#state.name === "starting" && (this.#state.trailers?.length ?? 0) > 0;
    const hasBody = !this.#requestEnded || this.#bodyBytes > 0 || hasTrailers;
    const { method, path, headers, framing } = requestHead(this.#payload, hasBody, keepAlive);
    const limits = { maxHeaderSize: MAX_HEAD_BYTES };
    const args = { agent, host, port, method, path, headers, setHost: false, ...limits, ...this.#dialed };
    const request = startRequest(args);
    return { request, framing, writer: new PartWriter(request, this.#stream, () => this.#idle.touch()) };
  }

  #watch(request: ClientRequest): void {
    // The bytes of a head are limited; node:http would drop fields beyond a number of them in silence.
    request.maxHeadersCount = 0;
    // Events of a request that was given up do not count.
    const isCurrent = () => this.#sending?.request === request;
    // A parser may read on after its request has failed: "over" is final.
    const isAwaited = () => isCurrent() && this.#state.name === "requesting";
    request.on("socket", (socket) => {
      this.#accounting.address = socket.remoteAddress;
      const filter = filterOf(socket);
      filter.onExcess = () => this.#accounting.noteExcess();
      filter.chargeTo((bytes) => this.#stream.charge(bytes));
    });
    request.on("information", (raw) => isAwaited() && this.#relayInterim(raw));
    request.on("response", (response) => isAwaited() && this.#relay(response));
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      if (isCurrent()) this.#fail(this.#protocolError("it switched protocols without being asked"));
    });
    request.on("error", (reason) => isCurrent() && this.#requestFailed(reason));
  }

  #body(bytes: Uint8Array): void {
    this.#idle.touch();
    this.#bodyBytes += bytes.byteLength;
    if (this.#state.name === "starting") this.#state.body.push(bytes);
    else this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    const sending = this.#sending;
    const framing = sending?.framing ?? "chunked";
    if (framing !== "chunked" && this.#bodyBytes > framing.length) {
      this.#fail(invalidBody(`it has more than the ${countOf(framing.length, "byte")} that it announced`));
    }
    // An origin may respond and close without reading the body, which then has nowhere to go.
    if (sending === undefined || sending.request.destroyed) this.#stream.consumed(bytes.byteLength);
    else sending.writer.write(bytes);
  }

  #end(trailers: HeaderList | undefined): void {
    this.#requestEnded = true;
    if (this.#state.name === "starting") this.#setState({ ...this.#state, trailers });
    else this.#finishRequest(trailers);
  }

  /** @param given Passed on only after chunks. */
  #finishRequest(given: HeaderList | undefined): void {
    const sending = this.#sending;
    if (sending === undefined) return;
    const { request, writer, framing } = sending;
    if (framing !== "chunked" && this.#bodyBytes < framing.length) {
      this.#fail(invalidBody(`it ended after ${this.#bodyBytes} of ${countOf(framing.length, "byte")}`));
      return;
    }
    const trailers = framing === "chunked" ? removeFromTrailers(given ?? []) : [];
    try {
      writer.flush();
      if (trailers.length > 0) request.addTrailers(pairs(trailers));
      request.end();
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
    }
  }

  #relayInterim(raw: RawHead): void {
    this.#idle.touch();
    if (this.#interimResponses++ >= MAX_INTERIM) return;
    try {
      this.#stream.send({ type: "http_response", payload: responseHead(raw) });
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
    }
  }

  #relay(response: IncomingMessage): void {
    this.#idle.touch();
    const sending = this.#sending!;
    try {
      const payload = responseHead(response);
      this.#accounting.status = payload.status;
      this.#setState({ name: "responding", sending, response });
      this.#stream.send({ type: "http_response", payload });
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
      return;
    }
    relayBody(response, this.#stream, {
      touch: () => this.#idle.touch(),
      ended: () => this.#setState({ name: "over", sending }),
      failed: (reason) => this.#fail(originError(reason, this.#target)),
    });
  }

  #requestFailed(error: Error): void {
    if (this.#mayRetry(error)) {
      this.#isRetry = true;
      this.#start(this.#context.origins.fresh);
    } else {
      this.#fail(originError(error, this.#target));
    }
  }

  #mayRetry(error: Error): boolean {
    return this.#state.name === "requesting" && mayRetry({
      error,
      method: this.#payload.method,
      wasReused: this.#context.origins.wasReused(this.#state.sending.request),
      isRetry: this.#isRetry,
      isComplete: this.#requestEnded && this.#bodyBytes === 0,
      hasResponse: this.#interimResponses > 0,
    });
  }

  #fail(error: SallyportError): void {
    const failed = this.#state;
    if (failed.name === "over") return;
    const sending = this.#sending;
    this.#setState({ name: "over", sending });
    if (failed.name === "responding") this.#stream.reset(error.code, error.message);
    else {
      this.#idle.stop();
      refuse(this.#stream, error, { accounting: this.#accounting, clock: this.#context.clock });
    }
    this.#abort.abort();
    sending?.request.destroy();
    // What no longer goes to the origin must not hold up the stream.
    sending?.writer.abandon();
    if (failed.name !== "starting") return;
    for (const { byteLength } of failed.body) this.#stream.consumed(byteLength);
  }

  #protocolError(why: string): SallyportError {
    return new SallyportError("target_protocol", `Cannot read the response of ${this.#target}: ${why}`);
  }

  #idled(timeoutMs: number): void {
    const message = `Cannot continue with ${this.#target}: no byte for ${timeoutMs} ms`;
    const isAwaitingResponse = this.#state.name !== "responding" && this.#requestEnded;
    // After the whole response it is the client that does not end its side.
    if (this.#state.name === "over") this.#stream.reset("idle_timeout", message);
    else this.#fail(new SallyportError(isAwaitingResponse ? "target_timeout" : "idle_timeout", message));
  }

  #closed(error: SallyportError | undefined): void {
    const sending = this.#sending;
    this.#setState({ name: "over", sending });
    this.#idle.stop();
    this.#abort.abort();
    // After a clean end the connection belongs to the pool again.
    if (error) sending?.request.destroy();
    this.#accounting.done(error);
  }
}

function invalidBody(why: string): SallyportError {
  return new SallyportError("bad_request", `Cannot forward the request's body: ${why}`);
}

function pairs(list: HeaderList): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < list.length; i += 2) found.push([list[i]!, list[i + 1]!]);
  return found;
}
