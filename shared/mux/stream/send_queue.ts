import type { StreamMessage } from "../../protocol/messages.ts";
import { plainBytes, type StreamFrame } from "../wire/stream_frame.ts";
import { compact, merge, overheadOf, type Part } from "../flow/part.ts";
import { Queue } from "../flow/queue.ts";
import type { EndOptions } from "./stream.ts";

/** One frame of a stream, ready to be sent. */
export interface OutgoingFrame extends StreamFrame {
  /** Body bytes; they cost credit. */
  readonly body: Uint8Array;
}

interface Item extends EndOptions, Part {
  /** Undefined for plain bytes, and once the message itself was sent ahead of its bytes. */
  message: StreamMessage | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** A stream's messages and bytes that wait to be sent, in order; they are cut into frames when its turn comes. */
export class SendQueue {
  readonly #id: number;
  readonly #plain: StreamMessage;
  readonly #items = new Queue<Item>();
  #queued = 0;
  #overhead = 0;
  /** The number of the next frame (SPEC.md 4.8). */
  #number = 0;

  /** @param dataType The type of messages of plain bytes. */
  constructor(id: number, dataType: Parameters<typeof plainBytes>[0]) {
    this.#id = id;
    this.#plain = plainBytes(dataType);
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
    const message = item.message ?? this.#plain;
    this.#queued -= body.byteLength;
    this.#overhead -= overheadOf(item.bytes);
    if (whole) {
      this.#items.shift();
    } else {
      item.message = undefined;
      item.bytes = item.bytes.subarray(body.byteLength);
      this.#overhead += overheadOf(item.bytes);
    }
    return { id: this.#id, n: this.#number++, message, end, trailers: end ? item.trailers : undefined, body };
  }
}
