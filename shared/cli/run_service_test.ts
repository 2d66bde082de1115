import assert from "node:assert/strict";
import { SallyportError } from "../errors.ts";
import { runService, type Service } from "./run_service.ts";

function setUp(service: Partial<Service> = {}) {
  const errors: string[] = [];
  const drained: string[] = [];
  const closed = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const hand: { signal?: (name: string, count: number) => void } = {};
  const run = {
    name: "prog",
    load: () => Promise.resolve({ port: 1 }),
    start: ({ port }: { port: number }): Promise<Service> => {
      assert.equal(port, 1);
      started.resolve();
      return Promise.resolve({
        closed: closed.promise,
        drain(reason: string) {
          drained.push(reason);
          closed.resolve();
          return Promise.resolve();
        },
        ...service,
      });
    },
    signals: (listener: (name: string, count: number) => void) => {
      hand.signal = listener;
      return () => delete hand.signal;
    },
    terminal: { out: () => assert.fail("it has nothing to say"), err: (text: string) => errors.push(text) },
  };
  return { run, errors, drained, closed, started: started.promise, hand };
}

Deno.test("runService drains at the first signal and exits with 0", async () => {
  const { run, errors, drained, started, hand } = setUp();
  const code = runService(run);
  await started;
  hand.signal!("SIGTERM", 1);
  assert.equal(await code, 0);
  assert.deepEqual(drained, ["SIGTERM"]);
  assert.deepEqual(errors, []);
  assert.equal(hand.signal, undefined, "still listens for signals");
});

Deno.test("runService waits until the service has stopped", async () => {
  const { run, closed, started, hand } = setUp({ drain: () => Promise.resolve() });
  const code = runService(run);
  await started;
  hand.signal!("SIGINT", 1);
  // One turn of the event loop settles everything but the service.
  const early = await Promise.race([code, new Promise((resolve) => setTimeout(resolve, 0, "waits"))]);
  assert.equal(early, "waits");
  closed.resolve();
  assert.equal(await code, 0);
});

Deno.test("runService ends at once at the second signal", async () => {
  const { run, started, hand } = setUp({ drain: () => new Promise(() => {}) });
  const code = runService(run);
  await started;
  hand.signal!("SIGINT", 1);
  hand.signal!("SIGINT", 2);
  assert.equal(await code, 1);
});

Deno.test("runService drains after the start if a signal came during it", async () => {
  const { run, drained, hand } = setUp();
  const start = run.start;
  const code = runService({
    ...run,
    start(config) {
      hand.signal!("SIGINT", 1);
      return start(config);
    },
  });
  assert.equal(await code, 0);
  assert.deepEqual(drained, ["SIGINT"]);
});

Deno.test("runService ends a start that hangs at the second signal", async () => {
  const { run, hand } = setUp();
  const code = runService({
    ...run,
    start() {
      hand.signal!("SIGINT", 1);
      hand.signal!("SIGINT", 2);
      return new Promise(() => {});
    },
  });
  assert.equal(await code, 1);
});

Deno.test("runService exits with 2 and a line for each problem when the configuration cannot be used", async () => {
  const { run, errors } = setUp();
  const load = () => Promise.reject(new SallyportError("bad_request", "a.yaml:1: one\na.yaml:2: two"));
  assert.equal(await runService({ ...run, load }), 2);
  assert.deepEqual(errors, ["prog: a.yaml:1: one\n", "prog: a.yaml:2: two\n"]);
});

Deno.test("runService exits with 1 and one line when the start fails", async () => {
  const { run, errors, hand } = setUp();
  assert.equal(await runService({ ...run, start: () => Promise.reject(new Error("port is taken")) }), 1);
  assert.deepEqual(errors, ["prog: port is taken\n"]);
  assert.equal(hand.signal, undefined, "still listens for signals");
});

Deno.test("runService exits with 1 if the service fails, and with 0 if it ends on its own", async () => {
  const dying = setUp();
  const code = runService(dying.run);
  await dying.started;
  dying.closed.reject(new Error("broke"));
  assert.equal(await code, 1);
  assert.deepEqual(dying.errors, ["prog: broke\n"]);

  const ending = setUp();
  ending.closed.resolve();
  assert.equal(await runService(ending.run), 0);
  assert.deepEqual(ending.drained, []);
});

Deno.test("runService passes on reload requests, also one that came before the service was up", async () => {
  const reloads: string[] = [];
  const reloaded = Promise.withResolvers<void>();
  const { run, drained, hand } = setUp({
    reload(reason: string) {
      reloads.push(reason);
      if (reloads.length === 2) reloaded.resolve();
      return Promise.resolve();
    },
  });
  const ask: { reload?: (name: string) => void } = {};
  const reloadSignals = (listener: (name: string) => void) => {
    ask.reload = listener;
    return () => delete ask.reload;
  };
  const loading = Promise.withResolvers<{ port: number }>();
  const code = runService({ ...run, reloadSignals, load: () => loading.promise });
  loading.resolve({ port: 1 });
  await loading.promise;
  await Promise.resolve();
  ask.reload!("early");
  ask.reload!("SIGHUP");
  await reloaded.promise;
  assert.deepEqual(reloads, ["early", "SIGHUP"]);
  assert.deepEqual(drained, []);
  hand.signal!("SIGTERM", 1);
  assert.equal(await code, 0);
  assert.equal(ask.reload, undefined, "still listens for signals");
});

Deno.test("runService prints no control characters of a configuration or a certificate", async () => {
  const { run, errors } = setUp();
  const fail = () => Promise.reject(new Error("Cannot use the issuer \u001b[31mred"));
  await runService({ ...run, load: fail });
  await runService({ ...run, start: fail });
  assert.deepEqual(errors, Array(2).fill("prog: Cannot use the issuer \\u{1b}[31mred\n"));
});
