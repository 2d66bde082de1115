import assert from "node:assert/strict";
import { writeAll } from "../byte_reader.ts";
import { proxyClient } from "../clients/proxy_client.ts";
import { openTunnel, type Tunnel } from "../clients/tunnel_client.ts";
import type { Chain } from "../programs/chain.ts";
import { within } from "../within.ts";
import type { FaultOrigins } from "./fault_origins.ts";
import { Checker } from "./pattern.ts";

/** Milliseconds in which an echo has to arrive. */
const ECHO = 15_000;

/**
 * A tunnel, as an SSH client has it, and a WebSocket on which nothing passes for a while: each echoes the first part of
 * the pattern, and the others when {@linkcode finish} is called.
 */
export class IdleConnections implements AsyncDisposable {
  readonly #origins: FaultOrigins;
  readonly #client: Deno.HttpClient;
  readonly #tunnel: Tunnel;
  readonly #socket: WebSocket;
  readonly #parts: Uint8Array<ArrayBuffer>[];
  readonly #checkers: { tunnel: Checker; socket: Checker };

  private constructor(origins: FaultOrigins, client: Deno.HttpClient, tunnel: Tunnel, socket: WebSocket) {
    this.#origins = origins;
    this.#client = client;
    this.#tunnel = tunnel;
    this.#socket = socket;
    this.#parts = [...origins.pattern];
    this.#checkers = { tunnel: new Checker(origins.pattern), socket: new Checker(origins.pattern) };
  }

  /** Opens both; resolves when each has echoed a part. */
  static async open(chain: Chain, origins: FaultOrigins): Promise<IdleConnections> {
    const tunnel = await openTunnel(chain.proxyPort, origins.echo.host);
    assert.equal(tunnel.status, 200, tunnel.head);
    const client = proxyClient(chain.proxyUrl);
    const socket = new WebSocket(`ws://${origins.http.host}/echo`, { client });
    socket.binaryType = "arraybuffer";
    await within(ECHO, event(socket, "open"), "the WebSocket opens");
    const idle = new IdleConnections(origins, client, tunnel, socket);
    await idle.#echoNext();
    return idle;
  }

  /** Echoes the rest of the pattern on both, and ends them well. @throws AssertionError for a wrong or missing byte. */
  async finish(): Promise<void> {
    while (this.#parts.length > 0) await this.#echoNext();
    await this.#tunnel.connection.closeWrite();
    const rest = await within(ECHO, this.#tunnel.reader.toEnd(), "the end of the tunnel");
    assert.equal(rest.byteLength, 0);
    this.#checkers.tunnel.ended();
    this.#socket.close(1000);
    const closed = await within(ECHO, event(this.#socket, "close"), "the end of the WebSocket");
    assert.equal((closed as CloseEvent).wasClean, true);
    this.#checkers.socket.ended();
    assert.deepEqual(this.#origins.falseEnds, []);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#tunnel[Symbol.dispose]();
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close();
    this.#client.close();
    return Promise.resolve();
  }

  async #echoNext(): Promise<void> {
    const part = this.#parts.shift()!;
    const message = event(this.#socket, "message");
    this.#socket.send(part);
    await writeAll(this.#tunnel.connection, part);
    const echo = await within(ECHO, this.#tunnel.reader.exactly(part.byteLength), "the tunnel's echo");
    this.#checkers.tunnel.take(echo);
    const { data } = await within(ECHO, message, "the WebSocket's echo") as MessageEvent<ArrayBuffer>;
    this.#checkers.socket.take(new Uint8Array(data));
  }
}

/** The next event of this type; rejects when the WebSocket closes instead. */
function event(socket: WebSocket, type: "open" | "message" | "close"): Promise<Event> {
  const { promise, resolve, reject } = Promise.withResolvers<Event>();
  const broken = ({ code, reason }: CloseEvent) =>
    reject(new Error(`the WebSocket closed, code ${code}: ${reason}`));
  socket.addEventListener("error", () => {}); // `close` follows
  if (type !== "close") socket.addEventListener("close", broken, { once: true });
  socket.addEventListener(type, (event) => {
    socket.removeEventListener("close", broken);
    resolve(event);
  }, { once: true });
  return promise;
}
