import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Identity } from "../../shared/pki/identity/identity.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { ServerRevalidation } from "./server_revalidation.ts";

const DAY_MS = 86_400_000;

/** A socket that records why it was destroyed. */
class FakeSocket extends EventEmitter {
  readonly ends: (Error | undefined)[] = [];

  get destroyed(): boolean {
    return this.ends.length > 0;
  }

  destroy(error?: Error): this {
    this.ends.push(error);
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
  const change: { to?: ((identity: Identity) => void) | undefined } = {};
  const onChange = (listener: (identity: Identity) => void) => {
    change.to = listener;
    return () => void (change.to = undefined);
  };
  const servers = new ServerRevalidation({
    serverName: "sallyport-server",
    identities: { current, onChange },
    clock,
    log,
  });
  const socket = new FakeSocket();
  const peer = { serial: "01", chain: server.chain } as unknown as Peer;
  servers.add(socket as unknown as Parameters<ServerRevalidation["add"]>[0], peer);
  assert.equal(socket.ends.length, 0);
  return { servers, socket, clock, log, change };
}

Deno.test("ServerRevalidation disconnects a server with an expired certificate, once and within a minute", async () => {
  const { servers, socket, clock, log } = await setUp();
  clock.advance(DAY_MS - 60_000);
  assert.equal(socket.ends.length, 0);
  clock.advance(180_000);
  assert.equal(socket.ends.length, 1);
  assert.match(String(socket.ends[0]?.message), /^Cannot keep the connection: .* expired on /);
  assert.deepEqual(log.take(), ["error: server disconnected"]);
  servers.stop();
  assert.equal(clock.timers, 0);
});

Deno.test("ServerRevalidation checks connected servers with a new identity", async () => {
  const { servers, socket, clock, log, change } = await setUp();
  const other = await (await TestPki.create("Other CA")).client();
  change.to!(other);
  assert.match(String(socket.ends[0]?.message), /was issued by CN=Test CA, not by /);
  change.to!(other);
  assert.equal(socket.ends.length, 1);
  assert.deepEqual(log.take(), ["error: server disconnected"]);
  servers.stop();
  assert.equal(clock.timers, 0);
});

Deno.test("ServerRevalidation ignores a new identity after it was stopped", async () => {
  const { servers, change, clock } = await setUp();
  servers.stop();
  assert.deepEqual([change.to, clock.timers], [undefined, 0]);
});

Deno.test("ServerRevalidation ignores a connection that is already closed", async () => {
  const { servers, change, log } = await setUp();
  const closed = new FakeSocket();
  closed.destroy();
  const chain = (await (await TestPki.create("Other CA")).server()).chain;
  const peer = { serial: "02", chain } as unknown as Peer;
  servers.add(closed as unknown as Parameters<ServerRevalidation["add"]>[0], peer);
  assert.deepEqual([closed.ends.length, closed.listenerCount("close"), log.take()], [1, 0, []]);
  assert.notEqual(change.to, undefined);
  servers.stop();
});
