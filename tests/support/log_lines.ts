import { DEFAULT_DEADLINE_MS } from "./eventually.ts";
import { within } from "./within.ts";

/** A line of a program's log. */
export interface LogLine {
  /** The message, without its properties. */
  readonly message: string;
  /** Everything else on the line, nested `properties` lifted to the top. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Collects the log of a program, and lets tests wait for a line of it. */
export class LogLines {
  readonly #lines: LogLine[] = [];
  readonly #waiting = new Set<() => void>();
  #text = "";
  #over = false;

  /** Everything written, including text that is not JSON. */
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
   * Waits for a line with that message, including lines already written.
   *
   * @param from Index into {@linkcode lines} of the first line that counts.
   * @throws {Error} When the program ends without it, or the deadline passes; with everything it wrote.
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
      throw new Error(`Cannot find log line "${message}": ${cause}; the program wrote:\n${this.#text}`, {
        cause,
      });
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
      // Not a log line; it stays in `text`.
    }
  }
}
