import { SallyportError } from "../../errors.ts";
import type { HeaderList, OpeningType, StreamMessage } from "../../protocol/messages.ts";
import { MessageOrder } from "./message_order.ts";
import type { IncomingStreamMessage } from "../wire/incoming.ts";
import type { StreamEmitter } from "./stream_emitter.ts";
import { compact, merge, overheadOf, type Part } from "../flow/part.ts";
import { headerListCost, messageCost, type StreamMemory } from "../flow/stream_memory.ts";
import { ReceiveWindow } from "../flow/window.ts";

/** What makes a {@linkcode ReceiveHalf}. */
interface ReceiveHalfInit {
  /** How the stream was opened. */
  opening: OpeningType;
  /** Whether this end opened it. */
  own: boolean;
  /** The credit that the peer has. */
  window: ReceiveWindow;
  /** Counts what the stream holds. */
  memory: StreamMemory;
  /** Where events go. */
  emitter: StreamEmitter;
  /** Sends the peer the new total of body bytes that it may send. */
  sendCredit(total: number): void;
}

/** An event that waits for the consumer to resume. */
type Held =
  | { kind: "message"; message: StreamMessage }
  | { kind: "data" } & Part
  | { kind: "end"; trailers: HeaderList | undefined };

/**
 * The peer's direction of a stream. Until the consumer resumes, events are held: bytes within the window, and no
 * more messages than the peer may send in all (SPEC.md 4.3).
 */
export class ReceiveHalf {
  readonly #order: MessageOrder;
  readonly #window: ReceiveWindow;
  readonly #memory: StreamMemory;
  readonly #emitter: StreamEmitter;
  readonly #sendCredit: (total: number) => void;
  /** Undefined once events flow. */
  #held: Held[] | undefined = [];
  /** `ended`: the peer's end arrived; `delivered`: the consumer got it; `stopped`: the stream is closed. */
  #phase: "open" | "ended" | "delivered" | "stopped" = "open";
  #bytes = 0;
  /** Bytes that were delivered and not yet consumed. */
  #unconsumed = 0;

  constructor(init: ReceiveHalfInit) {
    this.#order = new MessageOrder(init.opening, init.own);
    this.#window = init.window;
    this.#memory = init.memory;
    this.#emitter = init.emitter;
    this.#sendCredit = init.sendCredit;
  }

  /** Body bytes received so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the peer's end arrived. */
  get ended(): boolean {
    return this.#phase === "ended" || this.#phase === "delivered";
  }

  /** Whether the peer's end was delivered to the consumer. */
  get delivered(): boolean {
    return this.#phase === "delivered";
  }

  /** Whether the consumer also consumed all bytes: until then they have to be counted. */
  get allConsumed(): boolean {
    return this.delivered && this.#unconsumed === 0;
  }

  /** A body of this length begins to arrive; throws `flow_control_violation`, which ends the session. */
  admit(bodyLength: number): void {
    this.#window.receive(bodyLength);
    this.#memory.add(bodyLength);
  }

  /**
   * The peer's next message, with a body of this length that was admitted.
   * @returns how the message breaks the rules of the stream; that ends the stream only (SPEC.md 4.2, 4.4).
   */
  head(incoming: IncomingStreamMessage, bodyLength: number): string | undefined {
    if (this.#phase !== "open") return `${incoming.message.type} came after the end of its direction`;
    return this.#order.check(incoming, bodyLength);
  }

  /** The message that began is one that the consumer gets. */
  message(message: StreamMessage): void {
    // Counted until the stream closes: the consumer may keep it, and there are few (SPEC.md 4.3).
    this.#memory.add(messageCost(message));
    if (this.#held === undefined) this.#emitter.message(message);
    else this.#held.push({ kind: "message", message });
  }

  /** A part of a message's body arrived. */
  body(bytes: Uint8Array): void {
    this.#bytes += bytes.byteLength;
    this.#window.deliver(bytes.byteLength);
    if (this.#held === undefined) return this.#data(compact(bytes));
    const last = this.#held.at(-1);
    const growth = last?.kind === "data" ? merge(last, bytes) : undefined;
    if (growth !== undefined) return this.#memory.add(growth);
    const kept = compact(bytes);
    this.#held.push({ kind: "data", bytes: kept });
    this.#memory.add(overheadOf(kept));
  }

  /** The peer half-closed. */
  end(trailers: HeaderList | undefined): void {
    this.#phase = "ended";
    this.#memory.add(headerListCost(trailers));
    if (this.#held === undefined) this.#deliverEnd(trailers);
    else this.#held.push({ kind: "end", trailers });
  }

  /** Delivers what is held, and from then on what arrives; calls after the first do nothing. */
  resume(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const event of held ?? []) {
      if (this.#phase === "stopped") return;
      if (event.kind === "data") {
        this.#memory.remove(overheadOf(event.bytes));
        this.#data(event.bytes);
      } else if (event.kind === "message") this.#emitter.message(event.message);
      else this.#deliverEnd(event.trailers);
    }
  }

  /** The consumer consumed `count` bytes; throws `internal` for more than were delivered. */
  consumed(count: number): void {
    if (!(count >= 0 && count <= this.#unconsumed)) {
      const problem = `Cannot consume ${count} bytes: ${this.#unconsumed} bytes are unconsumed`;
      throw new SallyportError("internal", problem);
    }
    this.#unconsumed -= count;
    this.#memory.remove(count);
    const total = this.#window.consume(count);
    if (total > 0 && this.#phase === "open") this.#sendCredit(total);
  }

  /** Drops what is held and gives back the memory of the window. */
  stop(): void {
    this.#phase = "stopped";
    this.#held = undefined;
    this.#window.release();
  }

  #data(bytes: Uint8Array): void {
    this.#unconsumed += bytes.byteLength;
    if (!this.#emitter.data(bytes)) this.consumed(bytes.byteLength);
  }

  #deliverEnd(trailers: HeaderList | undefined): void {
    this.#phase = "delivered";
    this.#emitter.end(trailers);
  }
}
