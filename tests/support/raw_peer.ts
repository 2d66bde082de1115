import type { SallyportError } from "../../shared/errors.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import { naiveDecode, naiveEncode, type NaiveFrame, naiveSize } from "./naive_codec.ts";
import { within } from "./within.ts";

/** A peer that sends whatever a test wants, allowed or not, and understands frames on its own. */
export class RawPeer {
  /** Resolves when the connection is over. */
  readonly closed: Promise<SallyportError | undefined>;
  /** All frames that came. */
  readonly frames: NaiveFrame[] = [];
  readonly #transport: Transport;
  #taken = 0;
  #partial: number[] = [];
  #arrived = Promise.withResolvers<void>();
  #over = false;

  constructor(transport: Transport) {
    const closed = Promise.withResolvers<SallyportError | undefined>();
    this.closed = closed.promise;
    this.#transport = transport;
    transport.start({
      data: (bytes) => this.#receive(bytes),
      closed: (error) => {
        this.#over = true;
        this.#wake();
        closed.resolve(error);
      },
    });
  }

  /** Sends a `hello` that is as it should be, but for `more`. */
  hello(more: object = {}): void {
    this.send("hello", { version: 1, software: "raw", window: 100_000, max_streams: 100, ...more });
  }

  /** Sends a message; returns the bytes of its frame. */
  send(type: string, payload: object, body: Iterable<number> = []): number {
    return this.sendBytes(naiveEncode(JSON.stringify({ type, payload }), body));
  }

  /** Sends any bytes; returns how many. */
  sendBytes(bytes: Iterable<number>): number {
    const all = new Uint8Array(bytes);
    this.#transport.write(all, () => {});
    return all.byteLength;
  }

  /** The next frame of this type that no earlier call gave; those of other types before it are passed over. */
  next(type: string, ms = 5_000): Promise<NaiveFrame> {
    return within(ms, this.#find(type), `a frame of type ${type}`);
  }

  /** Waits until all that was sent before has been worked through, by a ping. */
  async settled(nonce = 77): Promise<void> {
    this.send("ping", { nonce });
    while ((await this.next("pong")).payload.nonce !== nonce);
  }

  /** The frames of a type that came so far. */
  all(type: string): NaiveFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** Bytes of the stream messages that came so far: what an `ack` would say (SPEC.md 5.2). */
  get received(): number {
    const ofStreams = this.frames.filter(({ type }) => /^(connect|http|websocket)_/.test(type));
    return ofStreams.reduce((sum, frame) => sum + naiveSize(frame), 0);
  }

  /** Ends the connection in order. */
  close(): void {
    this.#transport.close();
  }

  /** Cuts the connection. */
  abort(): void {
    this.#transport.abort();
  }

  async #find(type: string): Promise<NaiveFrame> {
    for (;;) {
      while (this.#taken < this.frames.length) {
        const frame = this.frames[this.#taken++]!;
        if (frame.type === type) return frame;
      }
      if (this.#over) throw new Error(`Cannot wait for ${type}: the connection is over`);
      await this.#arrived.promise;
    }
  }

  #receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.#partial.push(byte);
    const { frames, taken } = naiveDecode(this.#partial);
    if (taken === 0) return;
    this.#partial = this.#partial.slice(taken);
    this.frames.push(...frames);
    this.#wake();
  }

  #wake(): void {
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers<void>();
  }
}
