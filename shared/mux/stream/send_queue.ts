import type { StreamMessage } from "../../protocol/messages.ts";
import { compact, merge, overheadOf, type Part } from "../flow/part.ts";
import { Queue } from "../flow/queue.ts";
import type { EndOptions } from "./stream.ts";

/** One frame of a stream, ready to be written. */
export interface OutgoingFrame {
  /** Its number (SPEC.md 4.8). */
  n: number;
  /** The envelope. */
  json: string;
  /** Body bytes; they cost credit. */
  body: Uint8Array;
  /** Whether this frame half-closes the stream. */
  end: boolean;
}

interface Item extends EndOptions, Part {
  /** Undefined for plain bytes, and once the message itself was sent ahead of its bytes. */
  message: StreamMessage | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** A stream's messages and bytes that wait to be sent, in order; they are cut into frames when its turn comes. */
export class SendQueue {
  readonly #id: number;
  readonly #dataType: StreamMessage["type"];
  /** The envelope of plain data, by far the most common message, up to its number. */
  readonly #dataPrefix: string;
  readonly #items = new Queue<Item>();
  #queued = 0;
  #overhead = 0;
  /** The number of the next frame (SPEC.md 4.8). */
  #number = 0;

  constructor(id: number, dataType: StreamMessage["type"]) {
    this.#id = id;
    this.#dataType = dataType;
    this.#dataPrefix = `{"type":"${dataType}","payload":{"stream":${id},"n":`;
  }

  /** Body bytes that wait. */
  get queued(): number {
    return this.#queued;
  }

  /** Bytes that the parts that wait take in addition to their own. */
  get overhead(): number {
    return this.#overhead;
  }

  /** Queues a message, or plain bytes when `message` is undefined. */
  push(message: StreamMessage | undefined, bytes: Uint8Array = NO_BYTES, options: EndOptions = {}): void {
    this.#queued += bytes.byteLength;
    const last = this.#items.last;
    const plain = message === undefined && options.end !== true && bytes.byteLength > 0;
    // Bytes are never appended to those of a message: its frame says what they are.
    const growth = plain && last?.message === undefined && last?.end === false
      ? merge(last, bytes)
      : undefined;
    if (growth === undefined) {
      const kept = compact(bytes);
      this.#items.push({ message, bytes: kept, end: options.end ?? false, trailers: options.trailers });
      this.#overhead += overheadOf(kept);
    } else this.#overhead += growth;
  }

  /** Drops all items. */
  clear(): void {
    this.#items.clear();
    this.#queued = 0;
    this.#overhead = 0;
  }

  /** Whether a frame can be made with this much credit. */
  sendable(credit: number): boolean {
    const item = this.#items.first;
    if (item === undefined) return false;
    return credit > 0 || item.message !== undefined || item.bytes.byteLength === 0;
  }

  /** Takes the next frame, its body at most `limit` bytes; only when `sendable`. */
  take(limit: number): OutgoingFrame {
    const item = this.#items.first!;
    const body = item.bytes.byteLength <= limit ? item.bytes : item.bytes.subarray(0, limit);
    const whole = body.byteLength === item.bytes.byteLength;
    const end = whole && item.end === true;
    const n = this.#number++;
    const json = this.#json(n, item, end);
    this.#queued -= body.byteLength;
    this.#overhead -= overheadOf(item.bytes);
    if (whole) {
      this.#items.shift();
    } else {
      item.message = undefined;
      item.bytes = item.bytes.subarray(body.byteLength);
      this.#overhead += overheadOf(item.bytes);
    }
    return { n, json, body, end };
  }

  #json(n: number, item: Item, end: boolean): string {
    if (item.message === undefined && !end) return `${this.#dataPrefix}${n}}}`;
    return JSON.stringify({
      type: item.message?.type ?? this.#dataType,
      payload: {
        stream: this.#id,
        n,
        ...item.message?.payload,
        end: end ? true : undefined,
        trailers: end ? item.trailers : undefined,
      },
    });
  }
}
