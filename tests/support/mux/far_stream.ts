import { Buffer } from "node:buffer";
import type { SallyportError } from "../../../shared/errors.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { HeaderList, OpeningMessage } from "../../../shared/protocol/messages.ts";
import { within } from "../within.ts";

/** The server's end of a stream, driven by a test; bytes are Latin-1 text. */
export class FarStream {
  readonly stream: MuxStream;
  /** Received text that was not yet taken by `read`. */
  text = "";
  /** Bytes received in total. */
  received = 0;
  ended = false;
  trailers: HeaderList | undefined;
  closed = false;
  error: SallyportError | undefined;
  readonly #paused: boolean;
  #unread = 0;
  #changed: () => void = () => {};

  /** @param paused Whether bytes are consumed only by `consume`, as with a target that does not read. */
  constructor(stream: MuxStream, paused = false) {
    this.stream = stream;
    this.#paused = paused;
    stream.listen({
      data: (bytes) => this.#data(bytes),
      end: (trailers) => {
        this.ended = true;
        this.trailers = trailers;
        this.#changed();
      },
      closed: (error) => {
        this.closed = true;
        this.error = error;
        this.#changed();
      },
    });
    stream.resume();
  }

  get opening(): OpeningMessage {
    return this.stream.opening;
  }

  /** Sends text as bytes of the stream. */
  write(text: string): void {
    this.stream.write(Buffer.from(text, "latin1"));
  }

  /** Reads `length` bytes. */
  async read(length: number): Promise<string> {
    await this.until(() => this.text.length >= length, `${length} bytes`);
    const taken = this.text.slice(0, length);
    this.text = this.text.slice(length);
    return taken;
  }

  /** Consumes all bytes received so far. */
  consume(): void {
    this.stream.consumed(this.#unread);
    this.#unread = 0;
  }

  /** Resolves when the client's direction has ended. */
  async end(): Promise<void> {
    await this.until(() => this.ended, "the client's end");
  }

  /** Resolves with the stream's error, or undefined, when it is over. */
  async over(): Promise<SallyportError | undefined> {
    await this.until(() => this.closed, "the stream is over");
    return this.error;
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      const changed = new Promise<void>((resolve) => this.#changed = resolve);
      await within(5_000, changed, `${what}; so far ${JSON.stringify(this.text.slice(0, 500))}`);
    }
  }

  #data(bytes: Uint8Array): void {
    this.received += bytes.byteLength;
    if (this.#paused) this.#unread += bytes.byteLength;
    else {
      this.text += Buffer.from(bytes).toString("latin1");
      this.stream.consumed(bytes.byteLength);
    }
    this.#changed();
  }
}
