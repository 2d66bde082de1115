import { type ClientRequest, type IncomingMessage, request as startRequest } from "node:http";
import { SallyportError } from "../errors.ts";
import { removeFromTrailers } from "../http/headers.ts";
import type { MuxStream } from "../mux/stream.ts";
import { PartWriter } from "../net/part_writer.ts";
import { IdleTimer } from "../net/idle_timer.ts";
import { type HeaderList, MAX_INTERIM, type Payload } from "../protocol/messages.ts";
import { hostPort } from "../net/host_port.ts";
import type { ForwardContext } from "./context.ts";
import { originError } from "./origin_error.ts";
import type { OriginRequest } from "./origin_pool.ts";
import { OutcomeRecorder } from "./outcome.ts";
import { refuse } from "./refuse.ts";
import { authenticatesConnection, type RequestHead, requestHead } from "./request_head.ts";
import { type RawHead, relayBody, responseHead } from "./response.ts";

/** Bytes of a response's head that are read. */
const MAX_HEAD_BYTES = 65_536;
/** Idempotent methods (RFC 9110 section 9.2.2, IANA's registry of methods). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  ...["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PROPFIND", "REPORT", "SEARCH"],
]);

/**
 * Serves an `http_request`: sends it to the origin over a kept connection and passes the answer back, interim
 * answers, bodies and trailers included.
 *
 * A failure before the answer is answered with `http_response` and its error; one in mid-body resets the stream,
 * so that the client never takes it for the end.
 */
export function forwardHttp(stream: MuxStream, context: ForwardContext): void {
  new HttpExchange(stream, context).begin();
}

class HttpExchange {
  readonly #stream: MuxStream;
  readonly #context: ForwardContext;
  readonly #payload: Payload<"http_request">;
  readonly #target: string;
  readonly #recorder: OutcomeRecorder;
  readonly #idle: IdleTimer;
  readonly #abort = new AbortController();
  readonly #dialed: OriginRequest = {
    dial: (host, port) => this.#context.dial(host, port, this.#abort.signal),
  };
  /** Set once the head was made, of which nothing else is kept. */
  #framing: RequestHead["framing"] | undefined;
  #request: ClientRequest | undefined;
  #writer: PartWriter | undefined;
  #response: IncomingMessage | undefined;
  /** Body bytes that came before the request was begun. */
  #early: Uint8Array[] = [];
  #bodyBytes = 0;
  #requestEnded = false;
  /** Trailers that came before the request was begun. */
  #earlyTrailers: HeaderList | undefined;
  #interim = 0;
  #retried = false;
  /** The answer has been passed on to its end, or the failure has been told. */
  #answered = false;

  constructor(stream: MuxStream, context: ForwardContext) {
    this.#stream = stream;
    this.#context = context;
    this.#payload = stream.opening.payload as Payload<"http_request">;
    this.#target = hostPort(this.#payload.host, this.#payload.port);
    this.#recorder = new OutcomeRecorder(stream, context);
    const { clock, idleTimeoutMs: timeoutMs } = context;
    this.#idle = new IdleTimer({ clock, timeoutMs, onIdle: () => this.#idled(timeoutMs) });
  }

  begin(): void {
    const stream = this.#stream;
    stream.listen({
      data: (bytes) => this.#body(bytes),
      end: (trailers) => this.#end(trailers),
      drain: () => void this.#response?.resume(),
      closed: (error) => this.#closed(error),
    });
    // The end that comes with the opening message is told right after the stream itself. Whether there is a
    // body decides what goes into the head.
    queueMicrotask(() => {
      if (stream.over) return;
      stream.resume();
      const { kept, fresh } = this.#context.origins;
      if (!stream.over) this.#start(authenticatesConnection(this.#payload.headers) ? fresh : kept);
    });
  }

  #start(agent: ForwardContext["origins"]["kept"]): void {
    const { host, port } = this.#payload;
    const keepAlive = agent === this.#context.origins.kept;
    const hasBody = !this.#requestEnded || this.#bodyBytes > 0;
    try {
      const { method, path, headers, framing } = requestHead(this.#payload, hasBody, keepAlive);
      this.#framing = framing;
      const limits = { maxHeaderSize: MAX_HEAD_BYTES };
      const args = { agent, host, port, method, path, headers, setHost: false, ...limits, ...this.#dialed };
      this.#watch(startRequest(args));
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
      return;
    }
    const early = this.#early;
    this.#early = [];
    for (const bytes of early) this.#write(bytes);
    const trailers = this.#earlyTrailers;
    this.#earlyTrailers = undefined;
    if (this.#requestEnded) this.#finishRequest(trailers);
    else this.#request!.flushHeaders();
  }

  #watch(request: ClientRequest): void {
    this.#request = request;
    this.#writer = new PartWriter(request, this.#stream, () => this.#idle.touch());
    // The bytes of a head are limited; fields beyond a number would be left out without a word.
    request.maxHeadersCount = 0;
    // What a request that was given up still says is of no interest.
    const current = () => this.#request === request;
    request.on("socket", (socket) => this.#recorder.address = socket.remoteAddress);
    request.on("information", (raw) => current() && this.#interimCame(raw));
    request.on("response", (response) => current() && this.#responseCame(response));
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      if (current()) this.#fail(this.#protocolError("it switched protocols unasked"));
    });
    request.on("error", (reason) => current() && this.#requestFailed(reason));
  }

  #body(bytes: Uint8Array): void {
    this.#idle.touch();
    this.#bodyBytes += bytes.byteLength;
    if (this.#framing) this.#write(bytes);
    else this.#early.push(bytes);
  }

  #write(bytes: Uint8Array): void {
    const { byteLength } = bytes;
    const framing = this.#framing;
    if (framing && framing !== "chunked" && this.#bodyBytes > framing.length) {
      this.#fail(badBody(`it has more than the ${framing.length} bytes that it announced`));
    }
    const request = this.#request;
    // An origin may answer and close without reading the body, which then has nowhere to go.
    if (!request || request.destroyed) this.#stream.consumed(byteLength);
    else this.#writer?.write(bytes);
  }

  #end(trailers: HeaderList | undefined): void {
    this.#requestEnded = true;
    if (this.#request) this.#finishRequest(trailers);
    else this.#earlyTrailers = trailers;
  }

  /** @param given Passed on only in chunks, and kept by nothing here. */
  #finishRequest(given: HeaderList | undefined): void {
    const request = this.#request!;
    const framing = this.#framing!;
    if (framing !== "chunked" && this.#bodyBytes < framing.length) {
      this.#fail(badBody(`it ended after ${this.#bodyBytes} of ${framing.length} bytes`));
      return;
    }
    const trailers = framing === "chunked" ? removeFromTrailers(given ?? []) : [];
    try {
      this.#writer?.flush();
      if (trailers.length > 0) request.addTrailers(pairs(trailers));
      request.end();
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
    }
  }

  #interimCame(raw: RawHead): void {
    this.#idle.touch();
    if (this.#interim++ >= MAX_INTERIM) return;
    try {
      this.#stream.send({ type: "http_response", payload: responseHead(raw) });
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
    }
  }

  #responseCame(response: IncomingMessage): void {
    this.#idle.touch();
    try {
      const payload = responseHead(response);
      this.#recorder.status = payload.status;
      this.#response = response;
      this.#stream.send({ type: "http_response", payload });
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
      return;
    }
    relayBody(response, this.#stream, {
      touch: () => this.#idle.touch(),
      ended: () => this.#answered = true,
      failed: (reason) => this.#fail(originError(reason, this.#target)),
    });
  }

  #requestFailed(reason: Error): void {
    if (this.#isStale(reason)) {
      this.#retried = true;
      this.#start(this.#context.origins.fresh);
    } else {
      this.#fail(originError(reason, this.#target));
    }
  }

  /** Whether the origin closed a kept connection before it saw the request, which then may be sent again. */
  #isStale(reason: unknown): boolean {
    const { code } = reason as { code?: string };
    const reused = this.#request !== undefined && this.#context.origins.wasReused(this.#request);
    return reused && !this.#answered && !this.#retried && !this.#response && this.#interim === 0 &&
      this.#requestEnded && this.#bodyBytes === 0 && IDEMPOTENT.has(this.#payload.method) &&
      (code === "ECONNRESET" || code === "EPIPE");
  }

  #fail(error: SallyportError): void {
    if (this.#answered) return;
    this.#answered = true;
    if (this.#response) this.#stream.reset(error.code, error.message);
    else {
      this.#idle.stop();
      refuse(this.#stream, error, { recorder: this.#recorder, clock: this.#context.clock });
    }
    this.#abort.abort();
    this.#request?.destroy();
  }

  #protocolError(why: string): SallyportError {
    return new SallyportError("target_protocol", `Cannot read the answer of ${this.#target}: ${why}`);
  }

  #idled(timeoutMs: number): void {
    const message = `Cannot get on with ${this.#target}: no byte for ${timeoutMs} ms`;
    const waiting = !this.#response && this.#requestEnded;
    // After the whole answer it is the client that does not end its side.
    if (this.#answered) this.#stream.reset("idle_timeout", message);
    else this.#fail(new SallyportError(waiting ? "target_timeout" : "idle_timeout", message));
  }

  #closed(error: SallyportError | undefined): void {
    this.#answered = true;
    this.#idle.stop();
    this.#abort.abort();
    // After a clean end the connection is the pool's again.
    if (error) this.#request?.destroy();
    this.#recorder.done(error);
  }
}

function badBody(why: string): SallyportError {
  return new SallyportError("bad_request", `Cannot pass the request's body on: ${why}`);
}

function pairs(list: HeaderList): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < list.length; i += 2) found.push([list[i]!, list[i + 1]!]);
  return found;
}
