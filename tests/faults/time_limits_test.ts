/**
 * Purpose: nobody holds a connection of the server without going on: who says nothing, sends half a handshake, or
 * does not greet after it, is cut after 10 s, while agents are served.
 */
import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Chain } from "../support/chain.ts";
import { eventually } from "../support/eventually.ts";
import { startFaultOrigins } from "../support/fault_origins.ts";
import { withFault } from "../support/fault_scene.ts";
import { Pattern } from "../support/pattern.ts";
import { assertAllWhole, Traffic } from "../support/traffic.ts";
import { within } from "../support/within.ts";
import { health } from "../support/zero.ts";

/** Milliseconds for a handshake, and for the greeting after it (SPEC.md 3.1). */
const LIMIT = 10_000;
/** Half as much again for a busy machine. */
const CUT = LIMIT * 1.5;
/** Of each kind. */
const COPIES = 5;

/** The head of a TLS record that announces a ClientHello of 512 bytes (RFC 8446 section 5.1), and its beginning. */
const HALF_CLIENT_HELLO = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03);
/** The head of a frame that announces 64 bytes of JSON (SPEC.md 2), and its beginning. */
const HALF_HELLO = Uint8Array.of(0, 0, 0, 64, 0, 0, 0, 0, 0x7b);

type Lingerer = (chain: Chain) => Socket;

const LINGERERS: Readonly<Record<string, Lingerer>> = {
  "says nothing": (chain) => plain(chain),
  "sends half a ClientHello": (chain) => plain(chain, HALF_CLIENT_HELLO),
  "does not greet": (chain) => secure(chain),
  "sends half a greeting": (chain) => secure(chain, HALF_HELLO),
};

Deno.test("who connects and does not go on is cut within 10 s, and nobody else is disturbed", async () => {
  await withFault({}, async ({ chain, figure }) => {
    await using origins = startFaultOrigins(new Pattern(256));
    const began = performance.now();
    const ends = Object.entries(LINGERERS).map(async ([what, linger]) => {
      const sockets = Array.from({ length: COPIES }, () => linger(chain));
      const cut = Promise.all(sockets.map(ended));
      const times = await within(CUT, cut, `the end of a client that ${what}`);
      return { what, first: Math.min(...times) - began, last: Math.max(...times) - began };
    });
    await eventually("the greeting is waited for", async () => {
      assert.equal((await health(chain)).connections, 1 + 2 * COPIES);
    });
    await using traffic = new Traffic(chain, origins);
    assertAllWhole(await traffic.outcomes(), origins);
    assert.deepEqual(traffic.refused, []);
    for (const { what, first, last } of await Promise.all(ends)) {
      assert.ok(first >= LIMIT * 0.8, `a client that ${what} has its time: ${first} ms`);
      figure(`${what}: cut after ms`, Math.round(last));
    }
    assert.equal((await health(chain)).connections, 1);
    const { fields } = await chain.server.log.waitFor("agent refused");
    assert.match(String(fields["reason"]), /handshake: 10000 ms are over/);
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
