/**
 * Purpose: heads and trailers arrive byte for byte (SPEC.md 2.6): every byte from 0x80 to 0xff in values and reason
 * phrases, in requests and responses, with bodies of all sizes, through the tunnel and directly.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Chain, type Keys } from "../../support/programs/chain.ts";
import { RawClient } from "../../support/clients/raw_client.ts";
import { SocketOrigin } from "../../support/origins/socket_origin.ts";
import { within } from "../../support/within.ts";

const OBS = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 0x80 + i));
const FIELD = `X-Obs: ${OBS}\r\n`;
const VIA = "Via: 1.1 sallyport\r\n";
const KEEP = "Connection: keep-alive\r\n";
const SIZES = [0, 1, 2, 1_000, 100_000];
const ROUTES: Readonly<Record<string, Keys>> = { tunnel: {}, direct: { bypass: ["127.0.0.0/8"] } };

/** What an origin received last, on any connection, and the socket to respond on. */
class OriginInput {
  socket: Socket | undefined;
  #received = "";
  #notify: () => void = () => {};

  constructor(origin: SocketOrigin) {
    origin.serve((socket) =>
      socket.on("data", (bytes: Uint8Array) => {
        this.socket = socket;
        this.#received += Buffer.from(bytes).toString("latin1");
        this.#notify();
      })
    );
  }

  /** Waits for input that ends with `mark`, and takes it. */
  async take(mark: string): Promise<string> {
    while (!this.#received.endsWith(mark)) {
      const more = new Promise<void>((resolve) => this.#notify = resolve);
      await within(15_000, more, `more than ${JSON.stringify(this.#received.slice(0, 500))}`);
    }
    const got = this.#received;
    this.#received = "";
    return got;
  }
}

/** A client and the origin of its requests. */
class Exchange {
  readonly client: RawClient;
  readonly #input: OriginInput;

  constructor(chain: Chain, readonly origin: SocketOrigin, input: OriginInput) {
    this.#input = input;
    this.client = new RawClient(chain.proxyPort, 15_000);
  }

  get host(): string {
    return `127.0.0.1:${this.origin.port}`;
  }

  /** Sends the parts of a request one after the other; returns what the origin received, up to `mark`. */
  async request(parts: readonly string[], mark: string): Promise<string> {
    for (const [i, part] of parts.entries()) {
      if (i > 0) await tick();
      this.client.send(part);
    }
    return await this.#input.take(mark);
  }

  /** Lets the origin respond in parts; returns what the client received. */
  async respond(parts: readonly string[], length: number): Promise<string> {
    const got = this.client.read(length);
    for (const [i, part] of parts.entries()) {
      if (i > 0) await tick();
      this.#input.socket!.write(part, "latin1");
    }
    return await got;
  }
}

/** Lets what was written leave on its own. */
function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** Runs `body` with a chain for each route to an origin. */
async function onBothRoutes(
  test: Deno.TestContext,
  body: (open: () => Exchange, origin: SocketOrigin) => Promise<void>,
): Promise<void> {
  for (const [route, agent] of Object.entries(ROUTES)) {
    await test.step(route, async () => {
      await using chain = await Chain.start({ agent });
      await using origin = await SocketOrigin.start();
      const exchanges: Exchange[] = [];
      const input = new OriginInput(origin);
      const open = () => {
        const exchange = new Exchange(chain, origin, input);
        exchanges.push(exchange);
        return exchange;
      };
      await body(open, origin);
      // Closing a client normally looks like a half-close, and its WebSocket would wait for the origin.
      for (const { client } of exchanges) await client.close("reset");
      await chain.finish();
    });
  }
}

const chunk = (body: string) => body === "" ? "" : `${body.length.toString(16)}\r\n${body}\r\n`;

Deno.test("responses arrive byte for byte, with bodies of all sizes", (test) =>
  onBothRoutes(test, async (open) => {
    const exchange = open();
    for (const size of SIZES) {
      const body = "\xe9".repeat(size);
      for (const status of [200, 404]) {
        for (const framing of ["length", "chunks"]) {
          for (const inOnePart of [true, false]) {
            const get = `GET http://${exchange.host}/ HTTP/1.1\r\nHost: ${exchange.host}\r\n\r\n`;
            await exchange.request([get], "\r\n\r\n");
            const head = `HTTP/1.1 ${status} ${OBS}\r\n${FIELD}`;
            const tail = framing === "length" ? `Content-Length: ${size}\r\n` : "";
            const coding = framing === "chunks" ? "Transfer-Encoding: chunked\r\n" : "";
            const last = framing === "chunks" ? `0\r\nX-End: ${OBS}\r\n\r\n` : "";
            const sent = framing === "chunks" ? chunk(body) : body;
            const parts = [`${head}${tail}${coding}\r\n`, sent + last];
            const expected = `${head}${tail}${VIA}${KEEP}${coding}\r\n`;
            const name = `${size} bytes in ${framing}, ${inOnePart ? "in one part" : "in parts"}`;
            const got = await exchange.respond(inOnePart ? [parts.join("")] : parts, expected.length);
            assert.equal(got, expected, name);
            if (framing === "length") assert.equal(await exchange.client.read(size), body, name);
            else assert.equal(await dechunked(exchange.client), body + last.slice(1), name);
          }
        }
      }
    }
  }));

/** Reads a chunked body; returns its bytes and what follows the last chunk size. */
async function dechunked(client: RawClient): Promise<string> {
  let body = "";
  for (;;) {
    const size = parseInt(await client.readTo("\r\n"), 16);
    if (size === 0) break;
    body += (await client.read(size + 2)).slice(0, -2);
  }
  return `${body}\r\n${await client.readTo("\r\n\r\n")}`;
}

Deno.test("responses without a body, interim ones and those to HTTP/1.0 clients arrive byte for byte", (test) =>
  onBothRoutes(test, async (open) => {
    const exchange = open();
    for (const [method, status] of [["HEAD", 200], ["GET", 204], ["GET", 304]] as const) {
      await exchange.request([`${method} http://${exchange.host}/ HTTP/1.1\r\nHost: a\r\n\r\n`], "\r\n\r\n");
      const head = `HTTP/1.1 ${status} ${OBS}\r\n${FIELD}`;
      const expected = `${head}${VIA}${KEEP}\r\n`;
      assert.equal(await exchange.respond([`${head}\r\n`], expected.length), expected, `${method} ${status}`);
      if (method !== "HEAD") continue;
      // The client must not wait for a body.
      assert.equal(exchange.client.text, "");
    }
    const early = `HTTP/1.1 103 ${OBS}\r\n${FIELD}`;
    for (const size of SIZES) {
      const old = open();
      const body = "x".repeat(size);
      await old.request([`GET http://${old.host}/ HTTP/1.0\r\nHost: a\r\n\r\n`], "\r\n\r\n");
      const head = `HTTP/1.1 200 ${OBS}\r\n${FIELD}Content-Length: ${size}\r\n`;
      const expected = `${head}${VIA}Connection: close\r\n\r\n`;
      assert.equal(await old.respond([`${early}\r\n${head}\r\n`, body], expected.length), expected);
      assert.equal(await old.client.rest(), body);
    }
    await exchange.request([`GET http://${exchange.host}/ HTTP/1.1\r\nHost: a\r\n\r\n`], "\r\n\r\n");
    const hint = `${early}${VIA}\r\n`;
    assert.equal(await exchange.respond([`${early}\r\n`], hint.length), hint);
    const last = `HTTP/1.1 200 ${OBS}\r\n${FIELD}Content-Length: 0\r\n`;
    const expected = `${last}${VIA}${KEEP}\r\n`;
    assert.equal(await exchange.respond([`${last}\r\n`], expected.length), expected);
  }));

Deno.test("requests arrive byte for byte, with bodies of all sizes", (test) =>
  onBothRoutes(test, async (open) => {
    const exchange = open();
    for (const size of SIZES) {
      for (const framing of ["length", "chunks"]) {
        for (const inOnePart of [true, false]) {
          const name = `${size} bytes in ${framing}, ${inOnePart ? "in one part" : "in parts"}`;
          const body = "y".repeat(size);
          const tail = framing === "length"
            ? `Content-Length: ${size}\r\n`
            : "Transfer-Encoding: chunked\r\n";
          const end = framing === "length" ? "" : `0\r\nX-End: ${OBS}\r\n\r\n`;
          const sent = framing === "length" ? body : chunk(body) + end;
          const parts = [
            `POST http://${exchange.host}/ HTTP/1.1\r\nHost: ${exchange.host}\r\n${FIELD}${tail}\r\n`,
            sent,
          ];
          const mark = framing === "chunks" ? end : `\r\n\r\n${body}`;
          const got = await exchange.request(inOnePart ? [parts.join("")] : parts, mark);
          assert.ok(got.startsWith(`POST / HTTP/1.1\r\nHost: ${exchange.host}\r\n${FIELD}`), name);
          assert.equal(got.split(OBS).length, framing === "chunks" ? 3 : 2, name);
          assert.doesNotMatch(got, /\xc2\x80/, name);
          const response = "HTTP/1.1 204 No\r\n\r\n";
          await exchange.respond([response], `HTTP/1.1 204 No\r\n${VIA}${KEEP}\r\n`.length);
        }
      }
    }
  }));

Deno.test("upgrades and refused upgrades arrive byte for byte", (test) =>
  onBothRoutes(test, async (open) => {
    for (const status of [101, 403]) {
      const exchange = open();
      const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
      const get =
        `GET http://${exchange.host}/\xc3\xa9 HTTP/1.1\r\nHost: ${exchange.host}\r\n${FIELD}${upgrade}\r\n`;
      const got = await exchange.request([get], "\r\n\r\n");
      assert.equal(
        got,
        `GET /%C3%A9 HTTP/1.1\r\nHost: ${exchange.host}\r\n${FIELD}${VIA}${upgrade}\r\n`,
      );
      const head = `HTTP/1.1 ${status} ${OBS}\r\n${FIELD}`;
      const own = status === 101 ? upgrade : "Content-Length: 2\r\n";
      const close = status === 101 ? "" : "Connection: close\r\n";
      const expected = `${head}${own}${VIA}${close}\r\n\xe9\xff`;
      assert.equal(await exchange.respond([`${head}${own}\r\n`, "\xe9\xff"], expected.length), expected);
    }
  }));

Deno.test("paths and queries that are not ASCII reach the origin escaped, hosts are refused", (test) =>
  onBothRoutes(test, async (open, origin) => {
    const exchange = open();
    for (const size of [0, 5]) {
      const post =
        `POST http://${exchange.host}/caf\xc3\xa9?${OBS} HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n`;
      const got = await exchange.request([post + "z".repeat(size)], `\r\n\r\n${"z".repeat(size)}`);
      const escaped = OBS.replace(/[^]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
      assert.ok(got.startsWith(`POST /caf%C3%A9?${escaped} HTTP/1.1\r\n`), got);
      await exchange.respond(["HTTP/1.1 204 No\r\n\r\n"], `HTTP/1.1 204 No\r\n${VIA}${KEEP}\r\n`.length);
    }
    for (
      const line of [
        "GET http://caf\xc3\xa9/ HTTP/1.1",
        "CONNECT caf\xc3\xa9:80 HTTP/1.1",
        "GET /\xe9 HTTP/1.1",
      ]
    ) {
      const { client } = open();
      client.send(`${line}\r\n\r\n`);
      assert.match(await client.rest(), /^HTTP\/1\.1 400 /, line);
    }
    assert.equal(origin.accepted, 1);
  }));
