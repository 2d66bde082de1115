import { Queue } from "../flow/queue.ts";

/** What a message that waits takes in addition to its characters: its text, its objects and its slot, roughly. */
const MESSAGE_BYTES = 256;

/** Where the memory of messages is counted: their session. */
export interface MessageMemory {
  /** Counts bytes more, or fewer. */
  keep(bytes: number): void;
}

/** A message that waits, and what it was counted. */
interface Waiting {
  readonly json: string;
  readonly cost: number;
}

/**
 * The messages of a link that wait to be written. A peer that sends `ping` and reads nothing makes them many, so they
 * count as memory of its session (SPEC.md 5.5).
 */
export class LinkMessages {
  readonly #queue = new Queue<Waiting>();
  readonly #memory: () => MessageMemory | undefined;

  /** @param memory Undefined while there is no session. */
  constructor(memory: () => MessageMemory | undefined) {
    this.#memory = memory;
  }

  /** How many wait. */
  get length(): number {
    return this.#queue.length;
  }

  /** Adds the envelope of a message. */
  push(json: string): void {
    const memory = this.#memory();
    const cost = memory === undefined ? 0 : json.length + MESSAGE_BYTES;
    memory?.keep(cost);
    this.#queue.push({ json, cost });
  }

  /** Takes the oldest. */
  shift(): string | undefined {
    const waiting = this.#queue.shift();
    if (waiting !== undefined && waiting.cost > 0) this.#memory()?.keep(-waiting.cost);
    return waiting?.json;
  }
}
