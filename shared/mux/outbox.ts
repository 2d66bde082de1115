import { encodeEnvelope } from "../protocol/envelope.ts";
import type { HeaderList, StreamMessage } from "../protocol/messages.ts";
import { compact } from "./compact.ts";
import { merge, overheadOf, type Part } from "./part.ts";
import { Queue } from "./queue.ts";

/** One frame of a stream, ready to be written. */
export interface OutgoingFrame {
  /** The envelope. */
  json: string | Uint8Array;
  /** Body bytes; they cost credit. */
  body: Uint8Array;
  /** Whether this frame half-closes the stream. */
  end: boolean;
}

/** How a message ends its direction (SPEC.md 4.2). */
export interface EndOptions {
  /** Half-closes the stream after this message's bytes. @default false */
  end?: boolean;
  /** HTTP trailers, only with `end`. */
  trailers?: HeaderList | undefined;
}

interface Item extends EndOptions, Part {
  /** Undefined for plain bytes, and once the message itself has gone out ahead of its bytes. */
  message: StreamMessage | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** What a stream wants to send, in order, cut into frames when its turn comes. */
export class Outbox {
  readonly #id: number;
  readonly #dataType: StreamMessage["type"];
  /** Plain data is by far the most common message, so that its envelope is made once. */
  readonly #dataJson: Uint8Array;
  readonly #items = new Queue<Item>();
  #queued = 0;
  #overhead = 0;

  constructor(id: number, dataType: StreamMessage["type"]) {
    this.#id = id;
    this.#dataType = dataType;
    this.#dataJson = encodeEnvelope({ type: dataType, payload: { stream: id } });
  }

  /** Body bytes that wait. */
  get queued(): number {
    return this.#queued;
  }

  /** What the parts that wait take beyond their bytes. */
  get overhead(): number {
    return this.#overhead;
  }

  /** Queues a message, or plain bytes when `message` is undefined. */
  push(message: StreamMessage | undefined, bytes: Uint8Array = NO_BYTES, options: EndOptions = {}): void {
    this.#queued += bytes.byteLength;
    const last = this.#items.last;
    const plain = message === undefined && options.end !== true && bytes.byteLength > 0;
    // The first bytes of an item that has a message stay its own: its frame says what they are.
    const growth = plain && last?.message === undefined && last?.end === false
      ? merge(last, bytes)
      : undefined;
    if (growth === undefined) {
      const kept = compact(bytes);
      this.#items.push({ message, bytes: kept, end: options.end ?? false, trailers: options.trailers });
      this.#overhead += overheadOf(kept);
    } else this.#overhead += growth;
  }

  /** Drops everything. */
  clear(): void {
    this.#items.clear();
    this.#queued = 0;
    this.#overhead = 0;
  }

  /** Tells whether a frame can be made with this much credit. */
  sendable(credit: number): boolean {
    const item = this.#items.first;
    if (item === undefined) return false;
    return credit > 0 || item.message !== undefined || item.bytes.byteLength === 0;
  }

  /** Takes the next frame, its body at most `limit` bytes; only after `sendable`. */
  take(limit: number): OutgoingFrame {
    const item = this.#items.first!;
    const body = item.bytes.byteLength <= limit ? item.bytes : item.bytes.subarray(0, limit);
    const whole = body.byteLength === item.bytes.byteLength;
    const end = whole && item.end === true;
    const json = this.#json(item, end);
    this.#queued -= body.byteLength;
    this.#overhead -= overheadOf(item.bytes);
    if (whole) {
      this.#items.shift();
    } else {
      item.message = undefined;
      item.bytes = item.bytes.subarray(body.byteLength);
      this.#overhead += overheadOf(item.bytes);
    }
    return { json, body, end };
  }

  #json(item: Item, end: boolean): string | Uint8Array {
    if (item.message === undefined && !end) return this.#dataJson;
    return JSON.stringify({
      type: item.message?.type ?? this.#dataType,
      payload: {
        stream: this.#id,
        ...item.message?.payload,
        end: end ? true : undefined,
        trailers: end ? item.trailers : undefined,
      },
    });
  }
}
