/**
 * Purpose: a connection that makes no progress is closed after 10 s, whether it sends nothing, part of a handshake, or
 * no hello after it, while agents are served.
 */
import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Chain } from "../support/programs/chain.ts";
import { eventually } from "../support/eventually.ts";
import { startFaultOrigins } from "../support/faults/fault_origins.ts";
import { withFault } from "../support/faults/fault_scene.ts";
import { Pattern } from "../support/faults/pattern.ts";
import { assertAllComplete, Traffic } from "../support/faults/traffic.ts";
import { within } from "../support/within.ts";
import { health } from "../support/programs/status.ts";

/** Milliseconds for a handshake, and for the hello after it (SPEC.md 3.1). */
const LIMIT = 10_000;
/** Half as much again for a busy machine. */
const CLOSED = LIMIT * 1.5;
/** Connections of each kind. */
const COPIES = 5;

/** The header of a TLS record that announces a ClientHello of 512 bytes (RFC 8446 section 5.1), and its first bytes. */
const HALF_CLIENT_HELLO = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03);
/** The header of a frame that announces 64 bytes of JSON (SPEC.md 2), and its first bytes. */
const HALF_HELLO = Uint8Array.of(0, 0, 0, 64, 0, 0, 0, 0, 0x7b);

type SlowClient = (chain: Chain) => Socket;

const SLOW_CLIENTS: Readonly<Record<string, SlowClient>> = {
  "says nothing": (chain) => plain(chain),
  "sends half a ClientHello": (chain) => plain(chain, HALF_CLIENT_HELLO),
  "sends no hello": (chain) => secure(chain),
  "sends half a hello": (chain) => secure(chain, HALF_HELLO),
};

Deno.test("a connection that makes no progress is closed within 10 s, and others are not affected", async () => {
  await withFault({ agent: { connections: 1 } }, async ({ chain, figure }) => {
    await using origins = startFaultOrigins(new Pattern(256));
    const began = performance.now();
    const ends = Object.entries(SLOW_CLIENTS).map(async ([what, start]) => {
      const sockets = Array.from({ length: COPIES }, () => start(chain));
      const closed = Promise.all(sockets.map(ended));
      const times = await within(CLOSED, closed, `the end of a client that ${what}`);
      return { what, first: Math.min(...times) - began, last: Math.max(...times) - began };
    });
    await eventually("the server waits for the hello", async () => {
      assert.equal((await health(chain)).connections, 1 + 2 * COPIES);
    });
    await using traffic = new Traffic(chain, origins);
    assertAllComplete(await traffic.results(), origins);
    assert.deepEqual(traffic.refused, []);
    for (const { what, first, last } of await Promise.all(ends)) {
      assert.ok(first >= LIMIT * 0.8, `a client that ${what} is closed too early: after ${first} ms`);
      figure(`${what}: closed after ms`, Math.round(last));
    }
    assert.equal((await health(chain)).connections, 1);
    const { fields } = await chain.server.log.waitFor("agent refused");
    assert.match(String(fields["error"]), /handshake: not finished in 10000 ms/);
  });
});

function plain(chain: Chain, bytes?: Uint8Array): Socket {
  const socket = connectTcp(chain.serverPort, "127.0.0.1");
  if (bytes !== undefined) socket.write(bytes);
  return socket;
}

function secure(chain: Chain, bytes?: Uint8Array): Socket {
  const file = (name: string) => Deno.readTextFileSync(`${chain.dir}/certs/${name}`);
  const socket = connectTls({
    port: chain.serverPort,
    host: "127.0.0.1",
    servername: "sallyport-server",
    ca: file("ca.crt"),
    cert: file("client.crt"),
    key: file("client.key"),
  });
  if (bytes !== undefined) socket.write(bytes);
  return socket;
}

/** When a socket was closed by the other end, on `performance.now()`. */
function ended(socket: Socket): Promise<number> {
  socket.on("error", () => {}); // `close` follows
  socket.resume();
  return new Promise((resolve) => socket.once("close", () => resolve(performance.now())));
}
