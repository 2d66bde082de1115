import assert from "node:assert/strict";
import { SallyportError } from "../../shared/errors.ts";
import type { LogFields, Logger } from "../../shared/log.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import type { Session } from "../../shared/mux/session/session.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import { collect } from "../../tests/support/mux/collect.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../tests/support/mux/memory_transport.ts";
import { type SessionEnd, sessionEnd } from "../../tests/support/mux/session_pair.ts";
import { within } from "../../tests/support/within.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import type { Dial, TunnelOptions } from "./tunnel_options.ts";
import { Tunnel } from "./tunnel.ts";

const opening = { type: "connect_request", payload: { host: "example.org", port: 443 } } as const;
/** Logged errors. */
const errors: string[] = [];
const silent = {
  debug() {},
  info() {},
  warn() {},
  error: (message: string, fields?: LogFields) => void errors.push(`${message}: ${fields?.["error"]}`),
};

/** A tunnel with an in-memory server that can be up or down. */
function scene(
  options: Partial<TunnelOptions> = {},
  maxStreams = 4_096,
  log: Logger = silent,
  session: Partial<SessionOptions> = {},
) {
  const clock = new ManualClock();
  const scene = {
    up: true,
    code: "tunnel_down" as "tunnel_down" | "peer_rejected",
    dials: 0,
    servers: [] as SessionEnd[],
    /** The servers' ends of the connections. */
    fars: [] as Transport[],
  };
  const connect = (): Promise<Transport> => {
    scene.dials++;
    if (!scene.up) return Promise.reject(new SallyportError(scene.code, "the port is closed"));
    const [near, far] = MemoryTransport.pair();
    scene.fars.push(far);
    scene.servers.push(sessionEnd(far, "listener", { maxStreams }, clock));
    return Promise.resolve(near);
  };
  const dial: Dial = async () => ({ transport: await connect(), redial: connect });
  const tunnel = new Tunnel({ dial, log, clock, options, session });
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
  const { sessions, totals } = all.tunnel.figures;
  assert.deepEqual(sessions.map(({ streams, links }) => [streams, links.length]), [[2, 1]]);
  assert.deepEqual(totals, { sessions: 1, waiting: 0, links: 1, streams: 2, resumptions: 0, resentBytes: 0 });
  a.reset("cancelled", "done");
  b.reset("cancelled", "done");
  await all.stop();
  assert.equal(all.dials, 1);
});

Deno.test("tunnel dials a second connection for a download at once, however long nothing happened", async () => {
  const all = scene({ maxLinks: 2 });
  all.tunnel.start();
  await all.tunnel.openStream(opening).then((stream) => stream.reset("cancelled", "done"));
  // In the middle of a pause between two samples.
  all.clock.advance(3_000);
  const download = await all.tunnel.openStream(opening);
  const got = collect(download);
  const [server] = all.servers;
  await server!.nextStream();
  const far = await server!.nextStream();
  far.send({ type: "connect_ack", payload: {} }, new Uint8Array(200_000));
  await eventually("the first bytes arrive", () => assert.equal(download.bytesIn, 200_000));
  assert.equal(all.dials, 1);
  all.clock.advance(250);
  await eventually("a second connection is dialled", () => assert.equal(all.dials, 2));
  far.end();
  download.end();
  await within(5_000, got, "the download");
  await all.stop();
});

Deno.test("tunnel holds a stream until the server is up", async () => {
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

Deno.test("tunnel refuses at once while the circuit breaker is open, with the time of the next attempt", async () => {
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
  await within(5_000, held, "waiting streams are refused");
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

Deno.test("tunnel dials every second while it refuses streams, and backs off without streams", async () => {
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
    // Exactly to the next dial: later the circuit breaker may let a stream wait.
    if (dial < 12) all.clock.advance(retryInMs);
  }
  await within(5_000, held, "waiting streams are refused");
  all.clock.advance(10_000);
  await eventually("a dial fails", () => assert.equal(all.tunnel.state.name, "failed"));
  assert.ok((all.tunnel.retryInMs ?? 0) > 10_000, `next dial in ${all.tunnel.retryInMs} ms`);
  await all.stop();
});

Deno.test("tunnel refuses waiting streams if a certificate is not accepted", async () => {
  const all = scene();
  all.up = false;
  all.code = "peer_rejected";
  all.tunnel.start();
  await within(5_000, assert.rejects(all.tunnel.openStream(opening), codeIs("peer_rejected")), "the refusal");
  await all.stop();
});

Deno.test("tunnel dials up to four connections for many streams", async () => {
  const all = scene({ streamsPerSession: 2 });
  all.tunnel.start();
  const streams = [];
  for (let i = 0; i < 12; i++) {
    streams.push(await all.tunnel.openStream(opening));
    await eventually(
      "the dialled connections are open",
      () => assert.equal(all.tunnel.figures.totals.links, all.dials),
    );
  }
  assert.equal(all.tunnel.figures.totals.links, 4);
  assert.equal(all.dials, 4);
  for (const stream of streams) stream.reset("cancelled", "done");
  await all.stop();
});

Deno.test("tunnel refuses a stream if all sessions are full", async () => {
  const all = scene({ maxSessions: 1 }, 1);
  all.tunnel.start();
  const stream = await all.tunnel.openStream(opening);
  await assert.rejects(all.tunnel.openStream(opening), codeIs("limit_reached"));
  stream.reset("cancelled", "done");
  await all.stop();
});

Deno.test("tunnel that loses its connection resets the streams and reconnects", async () => {
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

Deno.test("tunnel replaces a drained connection, and its streams complete", async () => {
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

Deno.test("tunnel says why it cannot connect, although a session that drains waits for a connection", async () => {
  const all = scene({}, undefined, undefined, { resumeTimeout: 60_000 });
  all.tunnel.start();
  const stream = await all.tunnel.openStream(opening);
  const over = assert.rejects(collect(stream));
  const [server] = all.servers;
  await server!.nextStream();
  all.up = false;
  server!.session.drain();
  await eventually("an attempt fails", () => assert.equal(all.tunnel.state.name, "failed"));
  all.fars[0]!.abort();
  await eventually("the connection is lost", () => {
    assert.deepEqual(all.tunnel.figures.sessions.map(({ links }) => links), [[]]);
  });
  assert.equal(all.tunnel.state.name, "failed");
  all.clock.advance(60_000);
  await within(5_000, over, "the stream ends");
  await all.stop();
});

Deno.test("a draining tunnel closes what does not end in time", async () => {
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

Deno.test("tunnel logs an error thrown by a stream's callback, and continues", async () => {
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
    "callback failed: Cannot continue stream 1: its callback failed: a bug",
  ]);
  assert.equal(all.tunnel.state.name, "ready");
  await all.stop();
});

Deno.test("tunnel logs an outage once a minute with the number of attempts, and its end", async () => {
  const log = new LogNotes();
  const all = scene({ urgentRetry: 1_000 }, 4_096, log);
  all.up = false;
  all.tunnel.start();
  while (all.clock.now() < 90_000) {
    await eventually("a dial fails", () => assert.equal(all.tunnel.state.name, "failed"));
    all.clock.advance(all.tunnel.retryInMs ?? 0);
  }
  await eventually("a dial fails", () => assert.equal(all.tunnel.state.name, "failed"));
  const failed = log.notes.filter(({ message }) => message === "connection failed");
  assert.ok(all.dials > failed.length, `${all.dials} dials`);
  assert.equal(failed.length, 2);
  assert.match(String(failed[0]?.fields["advice"]), /run npx \S+ \S+ task -q agent doctor to find the cause/);
  assert.ok(Number(failed[1]?.fields["attempts"]) > 2 && Number(failed[1]?.fields["down_for_s"]) >= 60);
  all.up = true;
  all.clock.advance(all.tunnel.retryInMs ?? 0);
  await eventually("it is ready", () => assert.equal(all.tunnel.state.name, "ready"));
  const ready = log.notes.find(({ message }) => message === "tunnel ready");
  assert.equal(ready?.fields["attempts"], all.dials - 1);
  assert.ok(Number(ready?.fields["down_for_s"]) >= 90);
  await all.stop();
});
