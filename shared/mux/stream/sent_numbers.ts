import { MAX_NUMBERS_AHEAD } from "./frame_order.ts";

/** A frame that is kept until it is acknowledged. */
export interface SentFrame {
  /** Its envelope and its body; both are emptied when the frame is dropped. */
  json: string;
  body: Uint8Array;
  /** Whose it is: `dropped` once it need not arrive any more, since its stream was reset. */
  owner: object | "session" | "dropped";
  /** Whether it opens its stream, so that it has to arrive even if the stream is over. */
  readonly opens: boolean;
}

/** The frames of a stream that were sent and not acknowledged, by their numbers (SPEC.md 4.8). */
export class SentNumbers {
  /** In the order in which they were sent: the first is the lowest. A frame that is not kept has a number only. */
  readonly #unacknowledged = new Map<number, SentFrame | undefined>();
  #next = 0;
  /** No lower number is unacknowledged; raised only when it matters. */
  #lowest = 0;

  /** Whether the next number is near enough to the lowest unacknowledged one. */
  get hasRoom(): boolean {
    if (this.#next - this.#lowest < MAX_NUMBERS_AHEAD) return true;
    const [lowest = this.#next] = this.#unacknowledged.keys();
    this.#lowest = lowest;
    return this.#next - lowest < MAX_NUMBERS_AHEAD;
  }

  /** A frame was sent, with the next number. */
  add(n: number): void {
    this.#next = n + 1;
    this.#unacknowledged.set(n, undefined);
  }

  /** The frame with this number is kept until it is acknowledged. */
  keep(n: number, frame: SentFrame): void {
    this.#unacknowledged.set(n, frame);
  }

  /** Takes the frames that are kept and need not arrive once the stream is reset: all but the one that opens it. */
  takeDroppable(): SentFrame[] {
    const frames = [...this.#unacknowledged.values()].filter((frame) => frame !== undefined && !frame.opens);
    this.#unacknowledged.clear();
    return frames as SentFrame[];
  }

  /** The frame with this number was acknowledged, or need not be. */
  remove(n: number): void {
    this.#unacknowledged.delete(n);
  }
}
