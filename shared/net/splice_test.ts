import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { collect } from "../../tests/support/mux/collect.ts";
import { eventually, eventuallyStable } from "../../tests/support/eventually.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import {
  readToEnd,
  readUntil,
  socketClosed,
  SocketOrigin,
} from "../../tests/support/origins/socket_origin.ts";
import { type StreamPairs, streamPairs } from "../../tests/support/mux/stream_pair.ts";
import { within } from "../../tests/support/within.ts";
import type { SallyportError } from "../errors.ts";
import type { MuxStream } from "../mux/stream/stream.ts";
import { splice, type SpliceOptions } from "./splice.ts";

const OPENING = { type: "connect_request", payload: { host: "a.example", port: 443 } } as const;
const bytes = (text: string) => new TextEncoder().encode(text);

/** A stream whose far end is spliced to a socket; `origin` is the socket's far end. */
interface Joined {
  near: MuxStream;
  origin: Socket;
  clock: ManualClock;
  /** Waits for `onClosed` and returns its error. */
  closed(): Promise<SallyportError | undefined>;
}

async function joined(
  body: (joined: Joined) => Promise<void>,
  more: Partial<SpliceOptions> = {},
  early?: Uint8Array,
): Promise<void> {
  await using listener = await SocketOrigin.start();
  const pairs: StreamPairs = await streamPairs();
  const clock = new ManualClock();
  const { near, far } = await pairs.open(OPENING, early);
  far.send({ type: "connect_ack", payload: {} });
  const socket = connect({ host: "127.0.0.1", port: listener.port, allowHalfOpen: true });
  const origin = await listener.next();
  const { promise, resolve } = Promise.withResolvers<SallyportError | undefined>();
  splice({ socket, stream: far, clock, resetCode: "target_reset", onClosed: resolve, ...more });
  await body({ near, origin, clock, closed: () => within(5_000, promise, "the splice is over") });
  await eventually("nothing is left", () => {
    assert.deepEqual([pairs.agent.streamCount, pairs.server.streamCount, clock.timers], [0, 0, 0]);
  });
  await pairs.close();
}

Deno.test("splice relays early bytes and both directions, and ends cleanly", () =>
  joined(
    async ({ near, origin, closed }) => {
      const got = collect(near);
      near.write(bytes(" and more"));
      assert.equal(await readUntil(origin, (text) => text.endsWith("more")), "early and more");
      origin.write("answer");
      origin.end();
      near.end();
      const back = await within(5_000, got, "the answer");
      assert.equal(new TextDecoder().decode(back.bytes), "answer");
      assert.equal(await closed(), undefined);
    },
    {},
    bytes("early"),
  ));

Deno.test("splice lets the socket continue after the stream half-closed", () =>
  joined(async ({ near, origin, closed }) => {
    const got = collect(near);
    near.write(bytes("question"));
    near.end();
    assert.equal(await readToEnd(origin), "question");
    origin.write("late ");
    origin.end("answer");
    assert.equal(new TextDecoder().decode((await within(5_000, got, "answer")).bytes), "late answer");
    assert.equal(await closed(), undefined);
  }));

Deno.test("splice lets the stream continue after the socket half-closed", () =>
  joined(async ({ near, origin, closed }) => {
    const got = collect(near);
    origin.end("greeting");
    assert.equal(new TextDecoder().decode((await within(5_000, got, "greeting")).bytes), "greeting");
    near.write(bytes("still "));
    near.write(bytes("here"));
    near.end();
    assert.equal(await readToEnd(origin), "still here");
    assert.equal(await closed(), undefined);
  }));

Deno.test("splice resets the stream when the socket is reset", () =>
  joined(async ({ near, origin, closed }) => {
    const got = collect(near);
    origin.write("half of it");
    origin.resetAndDestroy();
    await within(5_000, assert.rejects(got, { code: "target_reset" }), "the reset");
    assert.equal((await closed())?.code, "target_reset");
  }));

Deno.test("splice resets the stream with the code it was given", () =>
  joined(async ({ near, origin, closed }) => {
    const got = collect(near);
    origin.resetAndDestroy();
    await within(5_000, assert.rejects(got, { code: "cancelled", message: /client/ }), "the reset");
    assert.equal((await closed())?.code, "cancelled");
  }, { resetCode: "cancelled" }));

Deno.test("splice resets the socket when the stream is reset, so that it never sees a clean end", () =>
  joined(async ({ near, origin, closed }) => {
    let ended = false;
    origin.on("end", () => ended = true);
    near.write(bytes("half of it"));
    await readUntil(origin, (text) => text === "half of it");
    origin.resume();
    const failed = socketClosed(origin);
    near.reset("cancelled", "gone");
    assert.equal((await failed)?.code, "ECONNRESET");
    assert.equal(ended, false);
    assert.equal((await closed())?.code, "cancelled");
  }));

Deno.test("splice resets both sides when idle for too long", () =>
  joined(async ({ near, origin, clock, closed }) => {
    const got = collect(near);
    origin.write("x");
    near.write(bytes("y"));
    await readUntil(origin, (text) => text === "y");
    await eventually("the origin's byte", () => assert.equal(near.bytesIn, 1));
    const failed = socketClosed(origin.resume());
    clock.advance(999);
    clock.advance(1);
    await within(5_000, assert.rejects(got, { code: "idle_timeout" }), "the reset");
    assert.equal((await failed)?.code, "ECONNRESET");
    assert.equal((await closed())?.code, "idle_timeout");
  }, { idleTimeoutMs: 1_000 }));

Deno.test("splice counts a byte in either direction as activity", () =>
  joined(async ({ near, origin, clock, closed }) => {
    const got = collect(near);
    clock.advance(900);
    near.write(bytes("a"));
    await readUntil(origin, (text) => text === "a");
    clock.advance(900);
    assert.equal(clock.timers, 1);
    origin.end("b");
    await within(5_000, got, "b");
    clock.advance(900);
    near.end();
    assert.equal(await closed(), undefined);
  }, { idleTimeoutMs: 1_000 }));

Deno.test("splice resets a half-closed socket that stays idle", () =>
  joined(async ({ near, origin, clock, closed }) => {
    const got = assert.rejects(collect(near), { code: "idle_timeout" });
    near.end();
    assert.equal(await readToEnd(origin), "");
    clock.advance(1_000);
    await within(5_000, got, "the reset");
    assert.equal((await closed())?.code, "idle_timeout");
  }, { idleTimeoutMs: 1_000 }));

Deno.test("splice makes a fast socket wait while the stream's reader stops", () =>
  joined(async ({ near, origin, closed }) => {
    let arrived = 0;
    near.listen({ data: (part) => void (arrived += part.byteLength) });
    near.resume();
    const chunk = new Uint8Array(1 << 20);
    const total = 64;
    let taken = 0;
    for (let i = 0; i < total; i++) origin.write(chunk, () => taken++);
    origin.end();
    await eventuallyStable("the origin is held back", () => taken);
    assert.ok(taken < total / 2, `${taken} MiB were taken though nothing reads`);
    near.consumed(arrived);
    const got = Promise.withResolvers<void>();
    near.listen({
      data: (part) => {
        arrived += part.byteLength;
        near.consumed(part.byteLength);
      },
      end: () => got.resolve(),
    });
    await within(10_000, got.promise, "the rest");
    assert.equal(arrived, total << 20);
    near.end();
    assert.equal(await closed(), undefined);
  }));

Deno.test("splice returns credit only when the socket has written the bytes", () =>
  joined(async ({ near, origin, closed }) => {
    origin.pause();
    const chunk = new Uint8Array(65_536);
    let sent = 0;
    const total = 64 << 20;
    const finished = Promise.withResolvers<void>();
    const pump = () => {
      while (sent < total) {
        sent += chunk.byteLength;
        if (!near.write(chunk)) return;
      }
      near.end();
      finished.resolve();
    };
    near.listen({ drain: pump });
    near.resume();
    pump();
    await eventuallyStable("the writer is held back", () => sent);
    assert.ok(sent < total / 2, `${sent} bytes went out though nothing reads`);
    let got = 0;
    origin.on("data", (part: Uint8Array) => void (got += part.byteLength));
    const end = new Promise<void>((resolve) => origin.on("end", () => resolve()));
    origin.resume();
    await within(10_000, Promise.all([finished.promise, end]), "the rest");
    assert.equal(got, total);
    origin.end();
    assert.equal(await closed(), undefined);
  }));

Deno.test("splice reports why a socket failed before it began", async () => {
  await using listener = await SocketOrigin.start();
  const pairs: StreamPairs = await streamPairs();
  const { far } = await pairs.open(OPENING);
  far.send({ type: "connect_ack", payload: {} });
  const socket = connect({ host: "127.0.0.1", port: listener.port, allowHalfOpen: true }).on(
    "error",
    () => {},
  );
  (await listener.next()).resetAndDestroy();
  await eventually("the socket fails", () => assert.ok(socket.destroyed));
  const { promise, resolve } = Promise.withResolvers<SallyportError | undefined>();
  splice({ socket, stream: far, clock: new ManualClock(), resetCode: "target_reset", onClosed: resolve });
  const error = await within(5_000, promise, "the splice is over");
  assert.equal(error?.code, "target_reset");
  assert.equal((error?.cause as { code?: string } | undefined)?.code, "ECONNRESET");
  await pairs.close();
});
