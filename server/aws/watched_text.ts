import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";

/** What makes a {@linkcode WatchedText}. */
export interface WatchedTextInit {
  /** What it is and where from, for the log. */
  readonly name: string;
  /** Milliseconds between two reads. */
  readonly interval: number;
  readonly clock: Clock;
  readonly log: Pick<Logger, "error">;
  read(signal: AbortSignal): Promise<string>;
  /** The text is another. */
  onChange(): void;
}

/** Milliseconds that one read may take. */
const READ_TIMEOUT = 10_000;

/** A text that lies elsewhere and is read again and again; when that fails the last one stays. */
export class WatchedText {
  readonly #init: WatchedTextInit;
  #current: string;
  #cancelNext: CancelTimer | undefined;
  #reading: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;

  /** Reads for the first time. @throws What reading throws. */
  static async open(init: WatchedTextInit): Promise<WatchedText> {
    const watched = new WatchedText(init, await readInTime(init, new AbortController()));
    watched.#wait();
    return watched;
  }

  private constructor(init: WatchedTextInit, current: string) {
    this.#init = init;
    this.#current = current;
  }

  /** The last text that could be read. */
  get current(): string {
    return this.#current;
  }

  /** Reads no more; settles when nothing is under way. */
  async close(): Promise<void> {
    this.#cancelNext?.();
    this.#reading?.abort.abort();
    await this.#reading?.done;
    this.#cancelNext?.();
  }

  #wait(): void {
    this.#cancelNext = this.#init.clock.after(this.#init.interval, () => {
      const abort = new AbortController();
      this.#reading = { abort, done: this.#readAgain(abort) };
    });
  }

  async #readAgain(abort: AbortController): Promise<void> {
    try {
      const text = await readInTime(this.#init, abort);
      if (text !== this.#current) {
        this.#current = text;
        this.#init.onChange();
      }
    } catch (error) {
      const { log, name } = this.#init;
      if (!abort.signal.aborted) {
        log.error("not read, the last one stays", { what: name, reason: String(error) });
      }
    }
    this.#reading = undefined;
    this.#wait();
  }
}

async function readInTime({ read, clock, name }: WatchedTextInit, abort: AbortController): Promise<string> {
  const late = new AbortController();
  const cancel = clock.after(
    READ_TIMEOUT,
    () => late.abort(new Error(`Cannot read ${name}: it takes too long`)),
  );
  try {
    return await read(AbortSignal.any([abort.signal, late.signal]));
  } finally {
    cancel();
  }
}
