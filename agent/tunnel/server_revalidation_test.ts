import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Identity } from "../../shared/pki/identity/identity.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { ServerRevalidation } from "./server_revalidation.ts";

const DAY_MS = 86_400_000;

/** A connection that records why it was rejected; its socket stays open, as while a last message is sent. */
class FakeConnection {
  readonly socket = Object.assign(new EventEmitter(), { destroyed: false });
  readonly rejections: Error[] = [];

  constructor(readonly peer: Peer) {}

  reject(error: Error): void {
    this.rejections.push(error);
  }

  addTo(servers: ServerRevalidation): void {
    servers.add(this.socket as unknown as Parameters<ServerRevalidation["add"]>[0], this);
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
  const connection = new FakeConnection({ serial: "01", chain: server.chain } as unknown as Peer);
  connection.addTo(servers);
  assert.equal(connection.rejections.length, 0);
  return { servers, connection, clock, log, change };
}

Deno.test("ServerRevalidation disconnects a server with an expired certificate, once and within a minute", async () => {
  const { servers, connection, clock, log } = await setUp();
  clock.advance(DAY_MS - 60_000);
  assert.equal(connection.rejections.length, 0);
  clock.advance(180_000);
  assert.equal(connection.rejections.length, 1);
  assert.match(String(connection.rejections[0]?.message), /^Cannot keep the connection: .* expired on /);
  assert.deepEqual(log.take(), ["error: server disconnected"]);
  servers.stop();
  assert.equal(clock.timers, 0);
});

Deno.test("ServerRevalidation checks connected servers with a new identity", async () => {
  const { servers, connection, clock, log, change } = await setUp();
  const other = await (await TestPki.create("Other CA")).client();
  change.to!(other);
  assert.match(String(connection.rejections[0]?.message), /was issued by CN=Test CA, not by /);
  change.to!(other);
  assert.equal(connection.rejections.length, 1);
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
  const chain = (await (await TestPki.create("Other CA")).server()).chain;
  const closed = new FakeConnection({ serial: "02", chain } as unknown as Peer);
  closed.socket.destroyed = true;
  closed.addTo(servers);
  assert.deepEqual([closed.rejections.length, closed.socket.listenerCount("close"), log.take()], [0, 0, []]);
  assert.notEqual(change.to, undefined);
  servers.stop();
});
