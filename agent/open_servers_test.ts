import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Identity } from "../shared/tls/identity.ts";
import type { Peer } from "../shared/tls/peer.ts";
import { LogNotes } from "../tests/support/log_notes.ts";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { TestPki } from "../tests/support/pki.ts";
import { OpenServers } from "./open_servers.ts";

const DAY_MS = 86_400_000;

/** A socket that only knows why it was destroyed. */
class FakeSocket extends EventEmitter {
  readonly destroyed: (Error | undefined)[] = [];

  destroy(error?: Error): this {
    this.destroyed.push(error);
    this.emit("close");
    return this;
  }
}

async function setUp() {
  const pki = await TestPki.create();
  const [current, server] = [await pki.client(), await pki.server()];
  const clock = new ManualClock();
  clock.jumpWall(Date.now());
  const log = new LogNotes();
  const change: { to?: (identity: Identity) => void } = {};
  const servers = new OpenServers({
    serverName: "sallyport-server",
    identities: { current, onChange: (listener) => void (change.to = listener) },
    clock,
    log,
  });
  const socket = new FakeSocket();
  const peer = { serial: "01", chain: server.chain } as unknown as Peer;
  servers.add(socket as unknown as Parameters<OpenServers["add"]>[0], peer);
  assert.equal(socket.destroyed.length, 0);
  return { servers, socket, clock, log, change };
}

Deno.test("OpenServers cuts off a server whose certificate has ended, within a minute and once", async () => {
  const { servers, socket, clock, log } = await setUp();
  clock.advance(DAY_MS - 60_000);
  assert.equal(socket.destroyed.length, 0);
  clock.advance(180_000);
  assert.equal(socket.destroyed.length, 1);
  assert.match(String(socket.destroyed[0]?.message), /^Cannot keep the connection: .* expired at /);
  assert.deepEqual(log.take(), ["error: server cut off"]);
  servers.stop();
  assert.equal(clock.timers, 0);
});

Deno.test("OpenServers judges servers by a new identity, and not those that are gone", async () => {
  const { servers, socket, clock, log, change } = await setUp();
  const other = await (await TestPki.create("Other CA")).client();
  change.to!(other);
  assert.match(String(socket.destroyed[0]?.message), /was issued by CN=Test CA, not by /);
  change.to!(other);
  assert.equal(socket.destroyed.length, 1);
  assert.deepEqual(log.take(), ["error: server cut off"]);
  servers.stop();
  assert.equal(clock.timers, 0);
});
