/** Reads a connection by lines, by blocks or to its end, for hand-written origins and clients. */
export class ByteReader {
  #rest = new Uint8Array(0);
  readonly #buffer = new Uint8Array(64 * 1024);

  constructor(readonly connection: Pick<Deno.Conn, "read">) {}

  /** Everything up to and including the first empty line, as latin-1 text. */
  async head(): Promise<string> {
    for (;;) {
      const text = latin1(this.#rest);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) return latin1(this.#take(end + 4));
      if (!await this.#more()) throw new Error(`Cannot read a head: end after ${JSON.stringify(text)}`);
    }
  }

  /** Exactly `count` bytes. */
  async exactly(count: number): Promise<Uint8Array> {
    while (this.#rest.length < count) {
      if (!await this.#more()) throw new Error(`Cannot read ${count} bytes: end after ${this.#rest.length}`);
    }
    return this.#take(count);
  }

  /** What has arrived or comes next: at least a byte. */
  async some(): Promise<Uint8Array> {
    if (this.#rest.length === 0 && !await this.#more()) {
      throw new Error("Cannot read a byte: the connection ended");
    }
    return this.#take(this.#rest.length);
  }

  /** Everything to the end of the connection. */
  async toEnd(): Promise<Uint8Array> {
    while (await this.#more());
    return this.#take(this.#rest.length);
  }

  #take(count: number): Uint8Array {
    const taken = this.#rest.slice(0, count);
    this.#rest = this.#rest.slice(count);
    return taken;
  }

  async #more(): Promise<boolean> {
    const count = await this.connection.read(this.#buffer);
    if (count === null) return false;
    const all = new Uint8Array(this.#rest.length + count);
    all.set(this.#rest);
    all.set(this.#buffer.subarray(0, count), this.#rest.length);
    this.#rest = all;
    return true;
  }
}

/** Text whose characters are the bytes. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}

/** Writes all of `bytes`, or of a text in UTF-8. */
export async function writeAll(to: Pick<Deno.Conn, "write">, bytes: Uint8Array | string): Promise<void> {
  const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  for (let at = 0; at < all.length;) at += await to.write(all.subarray(at));
}
