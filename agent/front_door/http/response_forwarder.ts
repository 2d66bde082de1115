import type { IncomingMessage, ServerResponse } from "node:http";
import { SallyportError } from "../../../shared/errors.ts";
import { removeFromTrailers, removeHopByHop, withoutHeaders } from "../../../shared/http/headers.ts";
import { overheadOf } from "../../../shared/mux/flow/part.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { StreamEvents } from "../../../shared/mux/stream/stream.ts";
import { PartWriter } from "../../../shared/net/part_writer.ts";
import type { HeaderList, Payload, StreamMessage } from "../../../shared/protocol/messages.ts";
import { encodeHead } from "../refusals/raw_response.ts";
import { responseError } from "../refusals/response_error.ts";
import { closeIfContinueIsPending } from "./request_body.ts";

/** What a {@linkcode ResponseForwarder} needs. */
export interface ResponseForwarderInit {
  request: IncomingMessage;
  /** Must be the next response on its connection. */
  response: ServerResponse;
  stream: MuxStream;
  /** Refuses the request; nothing has been sent to the client yet. */
  refuse(error: SallyportError): void;
}

/** Milliseconds for a client to read the rest of a truncated response. */
const TRUNCATED_RESPONSE_TIMEOUT = 5_000;
const TRAILER: ReadonlySet<string> = new Set(["trailer"]);

/** Forwards a response from its stream to the client unchanged: interim responses, head, body and trailers. */
export class ResponseForwarder implements Pick<StreamEvents, "message" | "data" | "end" | "closed"> {
  readonly #init: ResponseForwarderInit;
  readonly #writer: PartWriter;
  #phase: "head" | "body" | "done" = "head";
  #endsAtClose = false;
  #continueSent = false;

  constructor(init: ResponseForwarderInit) {
    this.#init = init;
    this.#writer = new PartWriter(init.response, init.stream);
    init.response.sendDate = false;
    // RFC 9112 section 7: HTTP/1.0 has no chunked coding.
    if (isHttp10(init.request)) init.response.useChunkedEncodingByDefault = false;
  }

  message(message: StreamMessage): void {
    if (this.#phase === "done") return;
    if (message.type !== "http_response" && message.type !== "websocket_ack" || this.#phase !== "head") {
      return this.#violation(`${message.type} is out of place`);
    }
    const { error, status } = message.payload;
    if (error !== undefined) return this.#refuse(responseError(this.#init.stream, error));
    if (status === undefined || status === 101) return this.#violation("the status is missing or 101");
    this.#tryWrite(() => status < 200 ? this.#interim(message.payload) : this.#head(message.payload));
  }

  data(bytes: Uint8Array): void {
    if (this.#phase === "head") return this.#violation("data came before the response");
    // A response without a body, to a HEAD for example, cannot take any bytes: they are discarded.
    if (this.#phase === "done" || !hasBody(this.#init)) return this.#init.stream.consumed(bytes.byteLength);
    this.#writer.write(bytes);
  }

  end(trailers: HeaderList | undefined): void {
    if (this.#phase === "done") return;
    if (this.#phase === "head") return this.#violation("the stream ended before a response");
    const { response } = this.#init;
    this.#writer.flush();
    if (trailers !== undefined && response.chunkedEncoding) {
      const added = this.#tryWrite(() => response.addTrailers(pairs(removeFromTrailers(trailers))));
      if (!added) return;
    }
    this.#phase = "done";
    response.end();
  }

  closed(error: SallyportError | undefined): void {
    this.#fail(
      error ?? new SallyportError("internal", "Cannot forward the response: the stream ended early"),
    );
  }

  #interim({ status = 100, reason = "", headers = [] }: Payload<"http_response">): void {
    const { request, response, stream } = this.#init;
    if (isHttp10(request)) return;
    if (status !== 100) {
      const head = encodeHead(status, reason, removeHopByHop(headers));
      const cost = head.byteLength + overheadOf(head);
      stream.charge(cost);
      response.socket?.write(head, () => stream.charge(-cost));
    } else if (request.headers.expect !== undefined) {
      this.#continueSent = true;
      response.writeContinue();
    }
  }

  #head({ status = 0, reason = "", headers = [] }: Payload<"http_response">): void {
    const { request, response } = this.#init;
    let fields = removeHopByHop(headers);
    const isUnsized = mayHaveBody(request, status) && !has(fields, "content-length");
    this.#endsAtClose = isUnsized && isHttp10(request);
    // Trailers need chunked coding, and node:http refuses to announce them without it.
    if (!isUnsized || this.#endsAtClose) fields = withoutHeaders(fields, TRAILER);
    if (!this.#continueSent) closeIfContinueIsPending(request, response);
    response.writeHead(status, reason, fields);
    this.#phase = "body";
    // The head leaves in the same write as body bytes that have arrived, but does not wait for later ones.
    queueMicrotask(() => {
      if (this.#phase === "body" && !response.destroyed) response.flushHeaders();
    });
  }

  #violation(reason: string): void {
    this.#fail(new SallyportError("protocol_violation", `Cannot forward the response: ${reason}`));
    this.#init.stream.reset("protocol_violation", reason);
  }

  /** Calls `write`, which throws when the response is not valid HTTP; returns whether it succeeded. */
  #tryWrite(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (reason) {
      const error = SallyportError.from(reason, "target_protocol");
      this.#fail(error);
      this.#init.stream.reset("cancelled", error.message);
      return false;
    }
  }

  #fail(error: SallyportError): void {
    if (this.#phase === "head") this.#refuse(error);
    else if (this.#phase === "body") this.#truncate();
  }

  #refuse(error: SallyportError): void {
    this.#phase = "done";
    this.#init.refuse(error);
  }

  /** A truncated response must not look complete (RFC 9112 section 8). */
  #truncate(): void {
    this.#phase = "done";
    const { response, response: { socket } } = this.#init;
    // Where closing the connection ends the body, only a reset shows that it is incomplete.
    if (this.#endsAtClose) socket?.resetAndDestroy();
    if (socket === null || socket.destroyed) return;
    this.#writer.flush();
    // A head that still waits for body bytes would be lost.
    response.flushHeaders();
    // The client gets what has arrived, if it reads it in time.
    socket.setTimeout(TRUNCATED_RESPONSE_TIMEOUT, () => socket.destroy());
    socket.destroySoon();
  }
}

function isHttp10(request: IncomingMessage): boolean {
  return request.httpVersionMajor < 1 || request.httpVersionMajor === 1 && request.httpVersionMinor < 1;
}

function hasBody({ request, response }: ResponseForwarderInit): boolean {
  return mayHaveBody(request, response.statusCode);
}

/** RFC 9112 section 6.3. */
function mayHaveBody(request: IncomingMessage, status: number): boolean {
  return request.method !== "HEAD" && status !== 204 && status !== 304;
}

function has(headers: HeaderList, name: string): boolean {
  return headers.some((item, i) => i % 2 === 0 && item.toLowerCase() === name);
}

function pairs(list: HeaderList): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < list.length; i += 2) result.push([list[i]!, list[i + 1]!]);
  return result;
}
