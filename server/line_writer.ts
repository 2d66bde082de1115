import type { CancelTimer, Clock } from "../shared/clock.ts";

/** Milliseconds for which lines gather before they are written. */
const GATHER = 50;
/** Characters from which what has gathered is written at once, whatever the time: that bounds what waits. */
const MAX_GATHERED = 65_536;

const encoder = new TextEncoder();

/** Writes lines in order, many with one write: a write for each would cost more than the stream it tells of. */
export class LineWriter {
  readonly #clock: Clock;
  readonly #write: (bytes: Uint8Array) => number;
  #lines: string[] = [];
  #gathered = 0;
  #cancel: CancelTimer | undefined;
  readonly #onFailure: (error: unknown) => void;
  #failed = false;

  /**
   * @param write Writes some of the bytes and returns how many.
   * @param onFailure Hears of the first write that threw; its lines are lost.
   */
  constructor(clock: Clock, write: (bytes: Uint8Array) => number, onFailure: (error: unknown) => void) {
    this.#clock = clock;
    this.#write = write;
    this.#onFailure = onFailure;
  }

  /** Takes a line, without its line end; it is written within 50 ms, or at once when 64 Ki characters wait. */
  add(line: string): void {
    this.#lines.push(line);
    this.#gathered += line.length + 1;
    if (this.#gathered >= MAX_GATHERED) return this.flush();
    this.#cancel ??= this.#clock.after(GATHER, () => this.flush());
  }

  /** Writes what has gathered. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#lines.length === 0) return;
    const bytes = encoder.encode(`${this.#lines.join("\n")}\n`);
    this.#lines = [];
    this.#gathered = 0;
    try {
      for (let offset = 0; offset < bytes.byteLength;) offset += this.#write(bytes.subarray(offset));
    } catch (error) {
      // Whoever read the lines went away: that must end neither the traffic nor the process.
      if (!this.#failed) this.#onFailure(error);
      this.#failed = true;
    }
  }
}
