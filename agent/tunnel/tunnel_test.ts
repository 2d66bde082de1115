import assert from "node:assert/strict";
import { SallyportError } from "../../shared/errors.ts";
import type { LogFields } from "../../shared/log.ts";
import type { Session } from "../../shared/mux/session.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import { collect } from "../../tests/support/collect.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { type SessionEnd, sessionEnd } from "../../tests/support/session_pair.ts";
import { within } from "../../tests/support/within.ts";
import type { TunnelOptions } from "./options.ts";
import { Tunnel } from "./tunnel.ts";

const opening = { type: "connect_request", payload: { host: "example.org", port: 443 } } as const;
/** What was logged as an error. */
const errors: string[] = [];
const silent = {
  debug() {},
  info() {},
  warn() {},
  error: (message: string, fields?: LogFields) => void errors.push(`${message}: ${fields?.["reason"]}`),
};

/** A tunnel with a server in memory that can be up or down. */
function scene(options: Partial<TunnelOptions> = {}, maxStreams = 4_096) {
  const clock = new ManualClock();
  const scene = {
    up: true,
    code: "tunnel_down" as "tunnel_down" | "peer_rejected",
    dials: 0,
    servers: [] as SessionEnd[],
  };
  const dial = (): Promise<Transport> => {
    scene.dials++;
    if (!scene.up) return Promise.reject(new SallyportError(scene.code, "the port is closed"));
    const [near, far] = MemoryTransport.pair();
    scene.servers.push(sessionEnd(far, "listener", { maxStreams }, clock));
    return Promise.resolve(near);
  };
  const tunnel = new Tunnel({ dial, log: silent, clock, options });
  const stop = async () => {
    await within(5_000, tunnel.drain(1_000), "the tunnel drains");
    for (const server of scene.servers) await within(5_000, server.closed, "a server's session ends");
    assert.equal(clock.timers, 0, "timers left");
  };
  return Object.assign(scene, { clock, tunnel, stop });
}

const codeIs = (code: string) => (error: unknown) => error instanceof SallyportError && error.code === code;

Deno.test("tunnel opens streams on one connection", async () => {
  const all = scene();
  all.tunnel.start();
  const [a, b] = await Promise.all([all.tunnel.openStream(opening), all.tunnel.openStream(opening)]);
  assert.equal(all.tunnel.state.name, "ready");
  assert.equal(all.tunnel.connectionCount, 1);
  assert.equal(all.tunnel.streamCount, 2);
  a.reset("cancelled", "done");
  b.reset("cancelled", "done");
  await all.stop();
  assert.equal(all.dials, 1);
});

Deno.test("tunnel holds a stream until the server appears", async () => {
  const all = scene();
  all.up = false;
  all.tunnel.start();
  const opened = all.tunnel.openStream(opening);
  await eventually("the first dial fails", () => assert.equal(all.tunnel.state.name, "failed"));
  all.up = true;
  all.clock.advance(1_000);
  const stream = await within(5_000, opened, "the stream opens");
  stream.reset("cancelled", "done");
  await all.stop();
});

Deno.test("tunnel refuses a stream that waited too long", async () => {
  const all = scene({ waitTimeout: 900 });
  all.up = false;
  all.tunnel.start();
  const refused = assert.rejects(all.tunnel.openStream(opening), codeIs("tunnel_down"));
  await eventually("the first dial fails", () => assert.equal(all.tunnel.state.name, "failed"));
  all.clock.advance(900);
  await within(5_000, refused, "the refusal");
  await all.stop();
});

Deno.test("tunnel whose circuit breaker is open refuses at once and says when it tries again", async () => {
  const all = scene();
  all.up = false;
  all.tunnel.start();
  const held = assert.rejects(all.tunnel.openStream(opening), codeIs("tunnel_down"));
  for (let dial = 1; dial <= 5; dial++) {
    await eventually(
      "a dial fails",
      () => assert.deepEqual([all.dials, all.tunnel.state.name], [dial, "failed"]),
    );
    if (dial < 5) all.clock.advance(1_000);
  }
  await within(5_000, held, "those that wait are sent away");
  await assert.rejects(
    all.tunnel.openStream(opening),
    /after 5 attempts, next in \d+\.\d s: the port is closed/,
  );
  all.up = true;
  all.clock.advance(all.tunnel.retryInMs ?? 0);
  const stream = await within(5_000, all.tunnel.openStream(opening), "the stream opens");
  stream.reset("cancelled", "done");
  await all.stop();
});

Deno.test("tunnel dials every second while it has to refuse streams, and backs off when nobody comes", async () => {
  const all = scene();
  all.up = false;
  all.tunnel.start();
  const held = assert.rejects(all.tunnel.openStream(opening), codeIs("tunnel_down"));
  for (let dial = 1; dial <= 12; dial++) {
    await eventually(
      "a dial fails",
      () => assert.deepEqual([all.dials, all.tunnel.state.name], [dial, "failed"]),
    );
    if (dial >= 5) await assert.rejects(all.tunnel.openStream(opening), codeIs("tunnel_down"));
    const retryInMs = all.tunnel.retryInMs ?? Infinity;
    assert.ok(retryInMs <= 1_000, `dial ${dial + 1} in ${retryInMs} ms`);
    // To the very moment of the next dial: any later and the circuit breaker may be about to let somebody try.
    if (dial < 12) all.clock.advance(retryInMs);
  }
  await within(5_000, held, "those that wait are sent away");
  all.clock.advance(10_000);
  await eventually("a dial fails", () => assert.equal(all.tunnel.state.name, "failed"));
  assert.ok((all.tunnel.retryInMs ?? 0) > 10_000, `next dial in ${all.tunnel.retryInMs} ms`);
  await all.stop();
});

Deno.test("tunnel keeps nobody waiting for a certificate that is not accepted", async () => {
  const all = scene();
  all.up = false;
  all.code = "peer_rejected";
  all.tunnel.start();
  await within(5_000, assert.rejects(all.tunnel.openStream(opening), codeIs("peer_rejected")), "the refusal");
  await all.stop();
});

Deno.test("tunnel dials more connections when streams are many, four at the most", async () => {
  const all = scene({ streamsPerConnection: 2 });
  all.tunnel.start();
  const streams = [];
  for (let i = 0; i < 12; i++) {
    streams.push(await all.tunnel.openStream(opening));
    await eventually("dialled connections are up", () => assert.equal(all.tunnel.connectionCount, all.dials));
  }
  assert.equal(all.tunnel.connectionCount, 4);
  assert.equal(all.dials, 4);
  for (const stream of streams) stream.reset("cancelled", "done");
  await all.stop();
});

Deno.test("tunnel whose connections are all full says so", async () => {
  const all = scene({ maxConnections: 1 }, 1);
  all.tunnel.start();
  const stream = await all.tunnel.openStream(opening);
  await assert.rejects(all.tunnel.openStream(opening), codeIs("limit_reached"));
  stream.reset("cancelled", "done");
  await all.stop();
});

Deno.test("tunnel that loses its connection ends the streams and connects again", async () => {
  const all = scene();
  all.tunnel.start();
  const stream = await all.tunnel.openStream(opening);
  const broken = assert.rejects(collect(stream), codeIs("tunnel_down"));
  all.servers[0]!.session.close("tunnel_down", "killed");
  await within(5_000, broken, "the stream breaks");
  const next = await within(5_000, all.tunnel.openStream(opening), "a new stream opens");
  assert.equal(all.dials, 2);
  next.reset("cancelled", "done");
  await all.stop();
});

Deno.test("tunnel leaves a connection that the server drains, and its streams end whole", async () => {
  const all = scene();
  all.tunnel.start();
  const old = await all.tunnel.openStream(opening, { bytes: new Uint8Array(100_000) });
  const far = await all.servers[0]!.nextStream();
  const got = collect(far);
  all.servers[0]!.session.drain();
  await eventually("a second connection", () => assert.equal(all.servers.length, 2));
  const young = await within(5_000, all.tunnel.openStream(opening), "a stream on the new connection");
  await all.servers[1]!.nextStream();
  old.end();
  assert.equal((await within(5_000, got, "the old stream ends")).bytes.byteLength, 100_000);
  far.send({ type: "connect_ack", payload: {} }, undefined, { end: true });
  const back = collect(old);
  await within(5_000, back, "the answer");
  young.reset("cancelled", "done");
  await all.stop();
});

Deno.test("tunnel that drains cuts what does not end in time", async () => {
  const all = scene();
  all.tunnel.start();
  const stream = await all.tunnel.openStream(opening);
  const cut = assert.rejects(collect(stream), codeIs("going_away"));
  const drained = all.tunnel.drain(500);
  await assert.rejects(all.tunnel.openStream(opening), codeIs("going_away"));
  all.clock.advance(500);
  await within(5_000, Promise.all([cut, drained]), "the cut");
  assert.equal(all.tunnel.state.name, "closed");
  const sessions: Session[] = all.servers.map(({ session }) => session);
  for (const server of all.servers) await within(5_000, server.closed, "a server's session ends");
  assert.deepEqual(sessions.map(({ streamCount }) => streamCount), [0]);
});

Deno.test("tunnel logs what a stream's room throws, and goes on", async () => {
  const all = scene();
  all.tunnel.start();
  const stream = await all.tunnel.openStream(opening);
  stream.listen({
    closed: () => {
      throw new Error("a bug");
    },
  });
  stream.reset("cancelled", "done");
  assert.deepEqual(errors.splice(0), [
    "a callback failed: Cannot go on with stream 1: its callback failed: a bug",
  ]);
  assert.equal(all.tunnel.state.name, "ready");
  await all.stop();
});
