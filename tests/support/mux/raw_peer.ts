import type { SallyportError } from "../../../shared/errors.ts";
import type { Transport } from "../../../shared/mux/transport.ts";
import { naiveDecode, naiveEncode, type NaiveFrame, naiveSize } from "./naive_codec.ts";
import { within } from "../within.ts";

const IS_OF_STREAM = /^(connect|http|websocket)_/;

/** A peer that sends whatever a test wants, valid or not, with its own decoder of frames. */
export class RawPeer {
  /** Resolves when the connection is closed. */
  readonly closed: Promise<SallyportError | undefined>;
  /** All frames received so far. */
  readonly frames: NaiveFrame[] = [];
  readonly #transport: Transport;
  /** The next number of each stream (SPEC.md 4.8). */
  readonly #numbers = new Map<number | undefined, number>();
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

  /** Sends a valid `hello`, changed by `more`. */
  hello(more: object = {}): void {
    const session = crypto.randomUUID().replaceAll("-", "");
    this.send("hello", { version: 2, software: "raw", window: 100_000, max_streams: 100, session, ...more });
  }

  /** Sends a message, with the next number of its stream if it has none; returns the length of its frame in bytes. */
  send(type: string, payload: object, body: Iterable<number> = []): number {
    return this.sendBytes(this.encode(type, payload, body));
  }

  /** The frame of a message, with the next number of its stream if it has none. */
  encode(type: string, payload: object, body: Iterable<number> = []): number[] {
    const numbered = IS_OF_STREAM.test(type) ? { ...this.#number(payload), ...payload } : payload;
    return naiveEncode(JSON.stringify({ type, payload: numbered }), body);
  }

  /** Sends any bytes; returns how many. */
  sendBytes(bytes: Iterable<number>): number {
    const all = new Uint8Array(bytes);
    this.#transport.write(all, () => {});
    return all.byteLength;
  }

  /** The next frame of this type after those of earlier calls; frames of other types before it are skipped. */
  next(type: string, ms = 5_000): Promise<NaiveFrame> {
    return within(ms, this.#find(type), `a frame of type ${type}`);
  }

  /** Waits, by a ping, until the session has processed everything sent before. */
  async settled(nonce = 77): Promise<void> {
    this.send("ping", { nonce });
    while ((await this.next("pong")).payload.nonce !== nonce);
  }

  /** The frames of a type received so far. */
  all(type: string): NaiveFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** Bytes of the counted messages received so far: the total of an `ack` (SPEC.md 5.2). */
  get received(): number {
    const counted = this.frames.filter(({ type }) => !/^(hello|ack|ping|pong)$/.test(type));
    return counted.reduce((sum, frame) => sum + naiveSize(frame), 0);
  }

  /** Ends the connection in order. */
  close(): void {
    this.#transport.close();
  }

  /** Cuts the connection. */
  abort(): void {
    this.#transport.abort();
  }

  #number({ stream }: { stream?: number }): { n: number } {
    const n = this.#numbers.get(stream) ?? 0;
    this.#numbers.set(stream, n + 1);
    return { n };
  }

  async #find(type: string): Promise<NaiveFrame> {
    for (;;) {
      while (this.#taken < this.frames.length) {
        const frame = this.frames[this.#taken++]!;
        if (frame.type === type) return frame;
      }
      if (this.#over) throw new Error(`Cannot wait for ${type}: the connection is closed`);
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
