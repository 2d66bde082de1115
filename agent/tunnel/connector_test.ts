import assert from "node:assert/strict";
import { SallyportError } from "../../shared/errors.ts";
import type { Session } from "../../shared/mux/session/session.ts";
import { Backoff } from "../../shared/resilience/backoff.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { Connector } from "./connector.ts";

const refused = new SallyportError("tunnel_down", "refused");

/** A connector whose attempts are settled by the test. */
function scene(prepare?: (signal: AbortSignal) => Promise<boolean>) {
  const clock = new ManualClock();
  const attempts: { resolve(session: Session): void; reject(error: Error): void; signal: AbortSignal }[] = [];
  const scene = {
    clock,
    attempts,
    urgent: false,
    connected: 0,
    failures: [] as number[],
    unprepared: [] as (string | undefined)[],
  };
  const connector = new Connector({
    clock,
    backoff: new Backoff({ minDelay: 4_000, maxDelay: 30_000 }),
    urgentRetry: 1_000,
    urgent: () => scene.urgent,
    prepare,
    unprepared: (error) => void scene.unprepared.push(error?.message),
    connect: (signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<Session>();
      attempts.push({ resolve, reject, signal });
      return promise;
    },
    discard: (session) => session.close("going_away", "no longer needed"),
    trying: () => {},
    connected: () => void scene.connected++,
    failed: (_error, _attempt, retryAt) => void scene.failures.push(retryAt - clock.now()),
  });
  return Object.assign(scene, { connector });
}

/** Runs the reactions of settled promises. */
const settle = () => new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(resolve)));

Deno.test("connector backs off while no stream waits", async () => {
  const { connector, clock, attempts, failures } = scene();
  connector.wake();
  attempts[0]!.reject(refused);
  await settle();
  assert.equal(failures.length, 1);
  assert.ok(failures[0]! >= 4_000 && failures[0]! <= 8_000, `first rest ${failures[0]}`);
  clock.advance(failures[0]! - 1);
  assert.equal(attempts.length, 1);
  clock.advance(1);
  assert.equal(attempts.length, 2);
  connector.stop();
});

Deno.test("connector dials every second while a stream waits", async () => {
  const all = scene();
  all.urgent = true;
  all.connector.wake();
  all.clock.advance(300);
  all.attempts[0]!.reject(refused);
  await settle();
  assert.deepEqual(all.failures, [700]);
  all.clock.advance(700);
  assert.equal(all.attempts.length, 2);
  all.connector.stop();
});

Deno.test("connector backs off to 30 s, with jitter, while no stream waits", async () => {
  const all = scene();
  all.connector.wake();
  for (let dial = 0; dial < 12; dial++) {
    all.attempts[dial]!.reject(refused);
    await settle();
    all.clock.advance(all.failures[dial]!);
  }
  const last = all.failures.slice(-6);
  assert.ok(last.every((rest) => rest >= 15_000 && rest <= 30_000), `last rests ${last}`);
  assert.equal(new Set(last).size, last.length, "each rest is another one");
  all.connector.stop();
  assert.equal(all.clock.timers, 0);
});

Deno.test("connector starts another attempt next to a pending one while a stream waits, and uses the first to succeed", async () => {
  const all = scene();
  all.urgent = true;
  all.connector.wake();
  all.clock.advance(2_000);
  assert.equal(all.attempts.length, 3);
  let closed = 0;
  const session = { close: () => void closed++ } as unknown as Session;
  all.attempts[1]!.resolve(session);
  await settle();
  assert.equal(all.connected, 1);
  assert.deepEqual(all.attempts.map(({ signal }) => signal.aborted), [true, false, true]);
  all.attempts[0]!.resolve(session);
  all.attempts[2]!.reject(refused);
  await settle();
  assert.deepEqual([all.connected, closed, all.failures.length], [1, 1, 0]);
  assert.equal(all.clock.timers, 0);
});

Deno.test("connector waits for a pending attempt while no stream waits, and starts another within a second of a stream", () => {
  const all = scene();
  all.connector.wake();
  all.clock.advance(5_500);
  assert.equal(all.attempts.length, 1);
  all.urgent = true;
  all.connector.wake();
  all.clock.advance(1_000);
  assert.equal(all.attempts.length, 2);
  all.connector.stop();
  assert.ok(all.attempts.every(({ signal }) => signal.aborted));
});

Deno.test("connector reports an error only when no attempt is pending", async () => {
  const all = scene();
  all.urgent = true;
  all.connector.wake();
  all.clock.advance(1_000);
  all.attempts[1]!.reject(refused);
  await settle();
  assert.deepEqual(all.failures, []);
  all.clock.advance(100);
  all.attempts[0]!.reject(refused);
  await settle();
  assert.deepEqual(all.failures, [900]);
  all.connector.stop();
});

Deno.test("connector shortens a pause when a stream comes", async () => {
  const all = scene();
  all.connector.wake();
  all.attempts[0]!.reject(refused);
  await settle();
  all.clock.advance(200);
  all.connector.wake();
  all.clock.advance(800);
  assert.equal(all.attempts.length, 1, "no stream waits");
  all.urgent = true;
  all.connector.wake();
  all.clock.advance(0);
  assert.equal(all.attempts.length, 2);
  all.connector.stop();
});

Deno.test("connector makes one attempt at a time and starts again after a success", async () => {
  const all = scene();
  all.connector.wake();
  all.connector.wake();
  assert.equal(all.attempts.length, 1);
  all.attempts[0]!.resolve({} as Session);
  await settle();
  assert.equal(all.connected, 1);
  all.connector.wake();
  assert.equal(all.attempts.length, 2);
  all.connector.stop();
});

Deno.test("a stopped connector aborts its attempt and closes a late session", async () => {
  const all = scene();
  all.connector.wake();
  all.connector.stop();
  assert.equal(all.attempts[0]!.signal.aborted, true);
  let closed = "";
  all.attempts[0]!.resolve({ close: (code: string) => closed = code } as unknown as Session);
  await settle();
  assert.equal(closed, "going_away");
  assert.equal(all.connected, 0);
});

Deno.test("connector prepares before every attempt", async () => {
  let prepared = 0;
  const all = scene(() => Promise.resolve(++prepared > 0));
  all.urgent = true;
  all.connector.wake();
  assert.equal(all.attempts.length, 0);
  await settle();
  all.clock.advance(300);
  all.attempts[0]!.reject(refused);
  await settle();
  all.clock.advance(700);
  await settle();
  assert.deepEqual([prepared, all.attempts.length], [2, 2]);
  all.connector.stop();
});

Deno.test("a connector without a server to dial is idle until it is woken", async () => {
  const answers = [Promise.resolve(false), Promise.reject(refused), Promise.resolve(true)];
  const all = scene(() => answers.shift()!);
  all.connector.wake();
  await settle();
  all.clock.advance(100_000);
  assert.deepEqual([all.unprepared, all.attempts.length], [[undefined], 0]);
  all.connector.wake();
  await settle();
  all.clock.advance(100_000);
  assert.deepEqual([all.unprepared, all.attempts.length], [[undefined, "refused"], 0]);
  all.connector.wake();
  await settle();
  assert.equal(all.attempts.length, 1);
  all.connector.stop();
});

Deno.test("connector prepares again if a stream came at the last moment", async () => {
  const answers = [Promise.resolve(false), Promise.resolve(true)];
  const all = scene(() => answers.shift()!);
  all.connector.wake();
  all.urgent = true;
  all.connector.wake();
  await settle();
  await settle();
  assert.equal(all.attempts.length, 1);
  all.connector.stop();
});

Deno.test("a stopped connector stops preparing", async () => {
  let aborted = false;
  const all = scene((signal) =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        aborted = true;
        reject(signal.reason);
      })
    )
  );
  all.connector.wake();
  all.connector.stop();
  await settle();
  assert.deepEqual([aborted, all.unprepared, all.attempts.length], [true, [], 0]);
});
