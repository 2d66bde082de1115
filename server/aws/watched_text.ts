import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";
import { withDeadline } from "../../shared/net/deadline.ts";
import { OutageLog } from "../../shared/resilience/outage_log.ts";

/** What makes a {@linkcode WatchedText}. */
export interface WatchedTextInit {
  /** What is read, for the log: "parameter /sallyport/crl". */
  readonly name: string;
  /** Milliseconds between two reads. */
  readonly interval: number;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "error">;
  read(signal: AbortSignal): Promise<string>;
  /** The text has changed. */
  onChange(): void;
}

/** Milliseconds between two log lines about the same failure. */
const LOG_EVERY_MS = 600_000;
/** Milliseconds that one read may take. */
const READ_TIMEOUT_MS = 10_000;

/** A text from elsewhere that is polled; when a read fails, the last text is kept. */
export class WatchedText {
  readonly #init: WatchedTextInit;
  readonly #outage: OutageLog;
  #current: string;
  #cancelNext: CancelTimer | undefined;
  #reading: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;

  /** Reads for the first time. @throws Whatever the read throws. */
  static async open(init: WatchedTextInit): Promise<WatchedText> {
    const watched = new WatchedText(init, await readInTime(init, new AbortController()));
    watched.#schedule();
    return watched;
  }

  private constructor(init: WatchedTextInit, current: string) {
    this.#init = init;
    this.#outage = new OutageLog({ clock: init.clock, every: LOG_EVERY_MS });
    this.#current = current;
  }

  /** The text of the last successful read. */
  get current(): string {
    return this.#current;
  }

  /** Stops polling; settles when no read is in progress. */
  async close(): Promise<void> {
    this.#cancelNext?.();
    this.#reading?.abort.abort();
    await this.#reading?.done;
    this.#cancelNext?.();
  }

  #schedule(): void {
    this.#cancelNext = this.#init.clock.after(this.#init.interval, () => {
      const abort = new AbortController();
      this.#reading = { abort, done: this.#readAgain(abort) };
    });
  }

  async #readAgain(abort: AbortController): Promise<void> {
    try {
      const text = await readInTime(this.#init, abort);
      const outage = this.#outage.recovered();
      if (outage !== undefined) {
        this.#init.log.info("read recovered", { source: this.#init.name, ...outage });
      }
      if (text !== this.#current) {
        this.#current = text;
        this.#init.onChange();
      }
    } catch (error) {
      const { log, name } = this.#init;
      const reason = String(error);
      const outage = abort.signal.aborted ? undefined : this.#outage.failed(reason);
      if (outage !== undefined) {
        log.error("read failed, last text kept", { source: name, error: reason, ...outage });
      }
    }
    this.#reading = undefined;
    this.#schedule();
  }
}

function readInTime({ read, clock, name }: WatchedTextInit, { signal }: AbortController): Promise<string> {
  return withDeadline({ doing: `read ${name}`, timeoutMs: READ_TIMEOUT_MS, signal, clock }, read);
}
