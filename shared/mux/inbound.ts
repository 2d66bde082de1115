import { SallyportError } from "../errors.ts";
import type { HeaderList, OpeningType, StreamMessage } from "../protocol/messages.ts";
import { compact } from "./compact.ts";
import { Conversation } from "./conversation.ts";
import type { IncomingStreamMessage } from "./incoming.ts";
import type { Listener } from "./listener.ts";
import { merge, overheadOf, type Part } from "./part.ts";
import type { StreamMemory } from "./stream_memory.ts";
import { weightOf, weightOfHeaders } from "./weight.ts";
import { ReceiveWindow } from "./window.ts";

/** What makes the inbound half of a stream. */
export interface InboundInit {
  /** How the stream was opened. */
  opening: OpeningType;
  /** Whether this end opened it. */
  own: boolean;
  /** The credit that the peer has. */
  window: ReceiveWindow;
  /** What the stream holds. */
  memory: StreamMemory;
  /** Who hears of what comes. */
  listener: Listener;
  /** Gives the peer more credit. */
  sendCredit(bytes: number): void;
}

/** Something that waits for the room to resume. */
type Held =
  | { kind: "message"; message: StreamMessage }
  | { kind: "data" } & Part
  | { kind: "end"; trailers: HeaderList | undefined };

/**
 * The peer's direction of a stream. Until the room resumes, what comes is held: bytes within the window, and no
 * more messages than the peer may send in all (SPEC.md 4.3).
 */
export class Inbound {
  readonly #conversation: Conversation;
  readonly #window: ReceiveWindow;
  readonly #memory: StreamMemory;
  readonly #listener: Listener;
  readonly #sendCredit: (bytes: number) => void;
  /** Undefined once everything flows. */
  #held: Held[] | undefined = [];
  /** The peer's end came; the room was told of it; nobody wants anything. */
  #phase: "open" | "ended" | "delivered" | "stopped" = "open";
  #bytes = 0;
  /** Bytes that the room has and did not yet hand on. */
  #unconsumed = 0;

  constructor(init: InboundInit) {
    this.#conversation = new Conversation(init.opening, init.own);
    this.#window = init.window;
    this.#memory = init.memory;
    this.#listener = init.listener;
    this.#sendCredit = init.sendCredit;
  }

  /** Body bytes received so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the peer's end came. */
  get ended(): boolean {
    return this.#phase === "ended" || this.#phase === "delivered";
  }

  /** Whether the room was told of the peer's end. */
  get delivered(): boolean {
    return this.#phase === "delivered";
  }

  /**
   * A message of the peer began whose body has this length.
   * @throws SallyportError `flow_control_violation`, which ends the connection.
   * @returns the violation that it is, if so; that ends the stream only (SPEC.md 4.2, 4.4).
   */
  head(incoming: IncomingStreamMessage, bodyLength: number): string | undefined {
    if (this.#phase !== "open") return `${incoming.message.type} came after the end of its direction`;
    const fault = this.#conversation.fault(incoming, bodyLength);
    if (fault !== undefined) return fault;
    this.#window.receive(bodyLength);
    this.#memory.add(bodyLength);
    return undefined;
  }

  /** The message that began is one that the room hears of. */
  message(message: StreamMessage): void {
    // For as long as the stream lives: who keeps it is not known here, and there are few (SPEC.md 4.3).
    this.#memory.add(weightOf(message));
    if (this.#held === undefined) this.#listener.message(message);
    else this.#held.push({ kind: "message", message });
  }

  /** A part of a message's body came. */
  body(bytes: Uint8Array): void {
    this.#bytes += bytes.byteLength;
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
    this.#memory.add(weightOfHeaders(trailers));
    if (this.#held === undefined) this.#deliverEnd(trailers);
    else this.#held.push({ kind: "end", trailers });
  }

  /** Lets flow what is held and what comes; more often does nothing. */
  resume(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const event of held ?? []) {
      if (this.#phase === "stopped") return;
      if (event.kind === "data") {
        this.#memory.remove(overheadOf(event.bytes));
        this.#data(event.bytes);
      } else if (event.kind === "message") this.#listener.message(event.message);
      else this.#deliverEnd(event.trailers);
    }
  }

  /** The room handed `count` bytes on; throws `internal` when it did not have that many. */
  consumed(count: number): void {
    if (!(count >= 0 && count <= this.#unconsumed)) {
      const problem = `Cannot take ${count} bytes for handed on: the room has ${this.#unconsumed}`;
      throw new SallyportError("internal", problem);
    }
    this.#unconsumed -= count;
    this.#memory.remove(count);
    const credit = this.#window.consume(count);
    if (credit > 0 && this.#phase === "open") this.#sendCredit(credit);
  }

  /** Drops what is held and gives its memory back. */
  stop(): void {
    this.#phase = "stopped";
    this.#held = undefined;
    this.#window.release();
  }

  #data(bytes: Uint8Array): void {
    this.#unconsumed += bytes.byteLength;
    if (!this.#listener.data(bytes)) this.consumed(bytes.byteLength);
  }

  #deliverEnd(trailers: HeaderList | undefined): void {
    this.#phase = "delivered";
    this.#listener.end(trailers);
  }
}
