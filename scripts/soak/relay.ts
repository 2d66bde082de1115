import { connectionsOf } from "../../tests/support/programs/connections_of.ts";

/** A TCP relay between agent and server that can cut connections and go silent, as networks do. */
export class Relay {
  readonly #listener: Deno.TcpListener;
  readonly #target: number;
  readonly #open = new Set<Deno.TcpConn>();
  /** The ends of each connection that is relayed. */
  readonly #pairs: (readonly [near: Deno.TcpConn, far: Deno.TcpConn])[] = [];
  readonly #work = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  #silence: PromiseWithResolvers<void> | undefined;

  /** Relays from `port` to `target`, both on 127.0.0.1; port 0 picks a free one. */
  constructor(port: number, target: number) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#target = target;
    this.#accepting = this.#accept();
  }

  /** The port it listens on. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Closes all connections. */
  cut(): void {
    for (const connection of this.#open) close(connection);
  }

  /** Closes one connection, which `choose` picks; false when there is none. */
  cutOne(choose: <T>(list: readonly T[]) => T): boolean {
    if (this.#pairs.length === 0) return false;
    for (const connection of choose(this.#pairs)) close(connection);
    return true;
  }

  /** Holds back all bytes until {@linkcode restore}. */
  silence(): void {
    this.#silence ??= Promise.withResolvers<void>();
  }

  /** Forwards what was held back, and what comes next. */
  restore(): void {
    this.#silence?.resolve();
    this.#silence = undefined;
  }

  /** Frees the port and closes all connections. */
  async stop(): Promise<void> {
    this.#listener.close();
    this.restore();
    this.cut();
    await Promise.all([this.#accepting, ...this.#work]);
  }

  async #accept(): Promise<void> {
    for await (const near of connectionsOf(this.#listener)) {
      const work = this.#relay(near).finally(() => this.#work.delete(work));
      this.#work.add(work);
    }
  }

  async #relay(near: Deno.TcpConn): Promise<void> {
    this.#open.add(near);
    try {
      const far = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
      const pair = [near, far] as const;
      this.#open.add(far);
      this.#pairs.push(pair);
      near.setNoDelay(true);
      far.setNoDelay(true);
      await Promise.all([this.#pump(near, far), this.#pump(far, near)]);
      close(far);
      this.#open.delete(far);
      this.#pairs.splice(this.#pairs.indexOf(pair), 1);
    } catch {
      // The server is down: the agent sees its connection end.
    } finally {
      close(near);
      this.#open.delete(near);
    }
  }

  async #pump(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count; (count = await from.read(buffer)) !== null;) {
        await this.#silence?.promise;
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
      await to.closeWrite();
    } catch {
      close(from);
      close(to);
    }
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // Already closed.
  }
}
