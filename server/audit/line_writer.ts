import type { CancelTimer, Clock } from "../../shared/clock.ts";

/** Milliseconds for which lines are buffered. */
const DELAY_MS = 50;
/** Buffered characters from which lines are written at once: this bounds the memory. */
const MAX_BUFFERED = 65_536;

const encoder = new TextEncoder();

/** Writes lines in order, many per write: a write for each line would cost more than the stream it is about. */
export class LineWriter {
  readonly #clock: Clock;
  readonly #write: (bytes: Uint8Array) => number;
  readonly #onError: (error: unknown) => void;
  #lines: string[] = [];
  #buffered = 0;
  #cancel: CancelTimer | undefined;
  #failed = false;

  /**
   * @param write Writes some of the bytes and returns how many.
   * @param onError Called for the first write that throws; its lines are lost.
   */
  constructor(clock: Clock, write: (bytes: Uint8Array) => number, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#write = write;
    this.#onError = onError;
  }

  /** Adds a line, given without its line end. It is written within 50 ms, or at once when 64 Ki characters are buffered. */
  add(line: string): void {
    this.#lines.push(line);
    this.#buffered += line.length + 1;
    if (this.#buffered >= MAX_BUFFERED) return this.flush();
    this.#cancel ??= this.#clock.after(DELAY_MS, () => this.flush());
  }

  /** Writes everything that is buffered. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#lines.length === 0) return;
    const bytes = encoder.encode(`${this.#lines.join("\n")}\n`);
    this.#lines = [];
    this.#buffered = 0;
    try {
      for (let offset = 0; offset < bytes.byteLength;) offset += this.#write(bytes.subarray(offset));
    } catch (error) {
      // The reader of the lines went away: that must stop neither the traffic nor the process.
      if (!this.#failed) this.#onError(error);
      this.#failed = true;
    }
  }
}
