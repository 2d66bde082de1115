import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { within } from "../within.ts";

/** A client that sees the exact bytes on the wire, as Latin-1 text. */
export class RawClient {
  readonly socket: Socket;
  /** Bytes that were received and not read. */
  text = "";
  /** How the peer's direction ended. */
  outcome: "end" | "reset" | undefined;
  #changed: () => void = () => {};

  /** @param timeoutMs Milliseconds that a read may wait for more. */
  constructor(port: number, readonly timeoutMs = 5_000) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    this.socket.on("data", (bytes) => {
      this.text += Buffer.from(bytes).toString("latin1");
      this.#changed();
    });
    this.socket.on("error", () => this.#over("reset"));
    this.socket.on("end", () => this.#over("end"));
    this.socket.on("close", () => this.#over("reset"));
  }

  /** Sends text as Latin-1. */
  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Sends text one byte at a time, each in its own packet. */
  async trickle(text: string): Promise<void> {
    for (const byte of text) {
      await new Promise<void>((resolve) => this.socket.write(byte, "latin1", () => setTimeout(resolve, 0)));
    }
  }

  /** Half-closes. */
  end(): void {
    this.socket.end();
  }

  /** Reads up to and including `mark`. */
  async readTo(mark: string): Promise<string> {
    await this.#until(() => this.text.includes(mark) || this.outcome !== undefined, JSON.stringify(mark));
    const index = this.text.indexOf(mark);
    if (index < 0) throw new Error(`Cannot find ${JSON.stringify(mark)} in ${JSON.stringify(this.text)}`);
    return this.#take(index + mark.length);
  }

  /** Reads `length` bytes. */
  async read(length: number): Promise<string> {
    await this.#until(() => this.text.length >= length || this.outcome !== undefined, `${length} bytes`);
    return this.#take(length);
  }

  /** Reads everything until the peer ends or resets. */
  async rest(): Promise<string> {
    await this.#until(() => this.outcome !== undefined, "the end");
    return this.#take(this.text.length);
  }

  /** Closes, with a reset if `how` says so. */
  async close(how: "end" | "reset" = "end"): Promise<void> {
    const { socket } = this;
    if (socket.closed) return;
    const closed = new Promise<void>((resolve) => socket.once("close", resolve));
    if (how === "reset") socket.resetAndDestroy();
    else socket.destroy();
    await within(5_000, closed, "the client closes");
  }

  #take(length: number): string {
    const taken = this.text.slice(0, length);
    this.text = this.text.slice(length);
    return taken;
  }

  #over(outcome: "end" | "reset"): void {
    this.outcome ??= outcome;
    this.#changed();
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      const changed = new Promise<void>((resolve) => this.#changed = resolve);
      await within(this.timeoutMs, changed, `${what}; so far ${JSON.stringify(this.text.slice(0, 500))}`);
    }
  }
}
