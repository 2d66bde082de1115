import type { IncomingMessage, ServerResponse } from "node:http";
import { SallyportError } from "../../shared/errors.ts";
import { removeFromTrailers, removeHopByHop, withoutHeaders } from "../../shared/http/headers.ts";
import { overheadOf } from "../../shared/mux/part.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { StreamEvents } from "../../shared/mux/stream_events.ts";
import { PartWriter } from "../../shared/net/part_writer.ts";
import type { HeaderList, Payload, StreamMessage } from "../../shared/protocol/messages.ts";
import { answerError } from "./answer_error.ts";
import { closeIfBodyIsDoubtful } from "./doubtful_body.ts";
import { encodeHead } from "./raw_response.ts";

/** What makes a {@linkcode ResponseRelay}. */
export interface RelayInit {
  request: IncomingMessage;
  /** Must be the next to go out on its connection. */
  response: ServerResponse;
  stream: MuxStream;
  /** Tells the client that there is no answer; nothing has been sent to it yet. */
  refuse(error: SallyportError): void;
}

/** Milliseconds for a client to take the rest of an answer that breaks off. */
const BREAK_OFF_TIMEOUT = 5_000;
const TRAILER: ReadonlySet<string> = new Set(["trailer"]);

/** Carries an answer from its stream to the client: interim heads, head, body and trailers, all as they came. */
export class ResponseRelay implements Pick<StreamEvents, "message" | "data" | "end" | "closed"> {
  readonly #init: RelayInit;
  readonly #writer: PartWriter;
  #phase: "head" | "body" | "over" = "head";
  #endsWithConnection = false;
  #continued = false;

  constructor(init: RelayInit) {
    this.#init = init;
    this.#writer = new PartWriter(init.response, init.stream);
    init.response.sendDate = false;
    // RFC 9112 section 7: a client of HTTP/1.0 knows no chunks.
    if (isOld(init.request)) init.response.useChunkedEncodingByDefault = false;
  }

  /** Whether the answer is complete, or given up. */
  get over(): boolean {
    return this.#phase === "over";
  }

  message(message: StreamMessage): void {
    if (this.#phase === "over") return;
    if (message.type !== "http_response" && message.type !== "websocket_ack" || this.#phase !== "head") {
      return this.#violated(`${message.type} does not belong here`);
    }
    const { error, status } = message.payload;
    if (error !== undefined) return this.#refuse(answerError(this.#init.stream, error));
    if (status === undefined || status === 101) return this.#violated("the answer's status is out of place");
    this.#guard(() => status < 200 ? this.#interim(message.payload) : this.#head(message.payload));
  }

  data(bytes: Uint8Array): void {
    if (this.#phase === "head") return this.#violated("bytes came before the answer");
    // Bytes that have no place in the answer, behind a HEAD for example, are dropped.
    if (this.#phase === "over" || !hasBody(this.#init)) return this.#init.stream.consumed(bytes.byteLength);
    this.#writer.write(bytes);
  }

  end(trailers: HeaderList | undefined): void {
    if (this.#phase === "over") return;
    if (this.#phase === "head") return this.#violated("the stream ended before an answer");
    const { response } = this.#init;
    this.#writer.flush();
    if (trailers !== undefined && response.chunkedEncoding) {
      this.#guard(() => response.addTrailers(pairs(removeFromTrailers(trailers))));
      if (this.over) return;
    }
    this.#phase = "over";
    response.end();
  }

  closed(error: SallyportError | undefined): void {
    this.#fail(error ?? new SallyportError("internal", "Cannot go on: the stream ended in the middle"));
  }

  #interim({ status = 100, reason = "", headers = [] }: Payload<"http_response">): void {
    const { request, response, stream } = this.#init;
    if (isOld(request)) return;
    if (status !== 100) {
      const head = encodeHead(status, reason, removeHopByHop(headers));
      const cost = head.byteLength + overheadOf(head);
      stream.charge(cost);
      response.socket?.write(head, () => stream.charge(-cost));
    } else if (request.headers.expect !== undefined) {
      this.#continued = true;
      response.writeContinue();
    }
  }

  #head({ status = 0, reason = "", headers = [] }: Payload<"http_response">): void {
    const { request, response } = this.#init;
    let fields = removeHopByHop(headers);
    const unsized = mayHaveBody(request, status) && !has(fields, "content-length");
    this.#endsWithConnection = unsized && isOld(request);
    // Trailers need chunks, and node:http refuses to announce them without.
    if (!unsized || this.#endsWithConnection) fields = withoutHeaders(fields, TRAILER);
    if (!this.#continued) closeIfBodyIsDoubtful(request, response);
    response.writeHead(status, reason, fields);
    this.#phase = "body";
    // A head whose body is not here yet must not wait for it; one whose body is, leaves in one write with it.
    queueMicrotask(() => {
      if (this.#phase === "body" && !response.destroyed) response.flushHeaders();
    });
  }

  #violated(problem: string): void {
    this.#fail(new SallyportError("protocol_violation", `Cannot pass the answer on: ${problem}`));
    this.#init.stream.reset("protocol_violation", problem);
  }

  /** Runs what throws when the answer cannot be written as HTTP. */
  #guard(write: () => void): void {
    try {
      write();
    } catch (reason) {
      const error = SallyportError.from(reason, "target_protocol");
      this.#fail(error);
      this.#init.stream.reset("cancelled", error.message);
    }
  }

  #fail(error: SallyportError): void {
    if (this.#phase === "head") this.#refuse(error);
    else if (this.#phase === "body") this.#breakOff();
  }

  #refuse(error: SallyportError): void {
    this.#phase = "over";
    this.#init.refuse(error);
  }

  /** An answer that was cut short must not look whole (RFC 9112 section 8). */
  #breakOff(): void {
    this.#phase = "over";
    const { response, response: { socket } } = this.#init;
    // Where the end of the connection is the end of the body, only a reset tells the difference.
    if (this.#endsWithConnection) socket?.resetAndDestroy();
    if (socket === null || socket.destroyed) return;
    this.#writer.flush();
    // A head that waits for its body would be lost, and the client would know of no answer at all.
    response.flushHeaders();
    // What did arrive is the client's, unless it does not take it.
    socket.setTimeout(BREAK_OFF_TIMEOUT, () => socket.destroy());
    socket.destroySoon();
  }
}

function isOld(request: IncomingMessage): boolean {
  return request.httpVersionMajor < 1 || request.httpVersionMajor === 1 && request.httpVersionMinor < 1;
}

function hasBody({ request, response }: RelayInit): boolean {
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
