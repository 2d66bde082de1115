import { DEFAULT_DEADLINE_MS } from "./eventually.ts";
import { within } from "./within.ts";

/** A line of a program's log. */
export interface LogLine {
  /** The message, without its properties. */
  readonly message: string;
  /** Everything else on the line, nested `properties` lifted to the top. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Collects what a program writes to standard error, and lets tests wait for a line of it. */
export class LogLines {
  readonly #lines: LogLine[] = [];
  readonly #waiting = new Set<() => void>();
  #text = "";
  #over = false;

  /** Everything that was written, also what is no JSON line. */
  get text(): string {
    return this.#text;
  }

  /** The JSON lines so far. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** Reads until the program closes its end. */
  async read(from: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const text of from.pipeThrough(new TextDecoderStream())) {
      this.#text += text;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
      this.#wake();
    }
    this.#take(rest);
    this.#over = true;
    this.#wake();
  }

  /**
   * Waits for a line with that message, one that was already written included.
   *
   * @param from Index into {@linkcode lines}: lines before it do not count.
   * @throws {Error} When the program ended without it, or the deadline passed; with all that it wrote.
   */
  async waitFor(message: string, from = 0, ms = DEFAULT_DEADLINE_MS): Promise<LogLine> {
    const changed = Promise.withResolvers<LogLine>();
    const look = () => {
      const line = this.#lines.slice(from).find((line) => line.message === message);
      if (line) changed.resolve(line);
      else if (this.#over) changed.reject(new Error("the program ended"));
    };
    this.#waiting.add(look);
    look();
    try {
      return await within(ms, changed.promise, `log line "${message}"`);
    } catch (cause) {
      throw new Error(`No log line "${message}": ${cause}; the program wrote:\n${this.#text}`, { cause });
    } finally {
      this.#waiting.delete(look);
    }
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }

  #take(line: string): void {
    if (!line.startsWith("{")) return;
    try {
      const { message, properties, ...fields } = JSON.parse(line);
      this.#lines.push({ message: String(message), fields: { ...fields, ...properties } });
    } catch {
      // Not a line of the log; it stays in `text`.
    }
  }
}
