/**
 * Purpose: the last agent that stops, stops the server too, and whatever is in doubt leaves it running. The functions
 * are the test's, programs are real.
 */
import assert from "node:assert/strict";
import { assertServed, beginToServe, type Scene, scene } from "../support/cloud/sleeping_chain.ts";

/** Milliseconds that a function takes that has to start first; two of them are longer than a hasty agent waits. */
const COLD_START = 3_000;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`the last agent that stops on ${signal} stops the server, one beside others does not`, async () => {
    await using all = await scene();
    const { chain, fleet } = all;
    await beginToServe(all);
    const first = chain.agent;
    await chain.startAgent();
    await assertServed(all);
    assert.equal((await first.stop(signal)).code, 0, first.log.text);
    assert.match(
      String((await first.log.waitFor("the server is left running")).fields["reason"]),
      /other agents use it: 1/,
    );
    assert.equal(fleet.count("kill"), 0);
    assert.equal((await chain.agent.stop(signal)).code, 0);
    await chain.agent.log.waitFor("the server is stopped: no other agent uses it");
    assert.equal(fleet.count("kill"), 1);
    await chain.server.stop();
  });
}

Deno.test("functions that start cold do not keep the last agent from stopping the server", async () => {
  await using all = await scene();
  const { chain, fleet } = all;
  await beginToServe(all);
  fleet.answer = () => new Promise((resolve) => setTimeout(() => resolve(undefined), COLD_START));
  assert.equal((await chain.agent.stop()).code, 0);
  assert.equal(fleet.count("kill"), 1, chain.agent.log.text);
  await chain.server.stop();
});

Deno.test("any doubt about other agents leaves the server running, and holds up nobody", async () => {
  const hanging = Promise.withResolvers<Response>();
  const doubts: Record<string, (all: Scene) => void | Promise<void>> = {
    "a server cannot be asked": ({ fleet, chain }) => fleet.run(chain.serverPort, 1),
    "the server is gone": async ({ chain }) => void await chain.server.stop(),
    "it is starting": ({ fleet }) => void (fleet.status = { state: "starting", servers: [] }),
    "Query fails": ({ fleet }) => void (fleet.answer = () => new Response("", { status: 500 })),
    "Query hangs": ({ fleet }) => void (fleet.answer = () => hanging.promise),
  };
  for (const [what, doubt] of Object.entries(doubts)) {
    await using all = await scene();
    const { chain, fleet } = all;
    await beginToServe(all);
    await doubt(all);
    assert.equal((await chain.agent.stop()).code, 0, what);
    assert.match(chain.agent.log.text, /left running/, what);
    assert.equal(fleet.count("kill"), 0, what);
    hanging.resolve(new Response(""));
  }
});

Deno.test("an agent that is told not to, stops no server", async () => {
  await using all = await scene({ kill_on_exit: false });
  const { chain, fleet } = all;
  await beginToServe(all);
  await chain.finish();
  assert.equal(fleet.count("kill"), 0);
});
