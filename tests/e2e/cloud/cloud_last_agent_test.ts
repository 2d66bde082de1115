/**
 * Purpose: the last agent that stops also stops the server, but leaves it running in doubt. The functions are fakes, the
 * programs are real.
 */
import assert from "node:assert/strict";
import { assertServed, beginToServe, type Scene, scene } from "../../support/cloud/sleeping_chain.ts";

/** Milliseconds of a cold start; two of them are longer than an impatient agent would wait. */
const COLD_START = 3_000;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`the last agent that stops on ${signal} stops the server, one of several does not`, async () => {
    await using all = await scene();
    const { chain, fleet } = all;
    await beginToServe(all);
    const first = chain.agent;
    await chain.startAgent();
    await assertServed(all);
    assert.equal((await first.stop(signal)).code, 0, first.log.text);
    assert.match(
      String((await first.log.waitFor("server left running")).fields["reason"]),
      /other agents connected: 1/,
    );
    assert.equal(fleet.count("kill"), 0);
    assert.equal((await chain.agent.stop(signal)).code, 0);
    await chain.agent.log.waitFor("server stopped, no other agent is connected");
    assert.equal(fleet.count("kill"), 1);
    await chain.server.stop();
  });
}

Deno.test("cold starts of the functions do not keep the last agent from stopping the server", async () => {
  await using all = await scene();
  const { chain, fleet } = all;
  await beginToServe(all);
  fleet.answer = () => new Promise((resolve) => setTimeout(() => resolve(undefined), COLD_START));
  assert.equal((await chain.agent.stop()).code, 0);
  assert.equal(fleet.count("kill"), 1, chain.agent.log.text);
  await chain.server.stop();
});

Deno.test("any doubt about other agents leaves the server running, without delay", async () => {
  const hanging = Promise.withResolvers<Response>();
  const doubts: Record<string, (all: Scene) => void | Promise<void>> = {
    "a server cannot be reached": ({ fleet, chain }) => fleet.run(chain.serverPort, 1),
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

Deno.test("an agent with kill_on_exit off does not stop the server", async () => {
  await using all = await scene({ kill_on_exit: false });
  const { chain, fleet } = all;
  await beginToServe(all);
  await chain.finish();
  assert.equal(fleet.count("kill"), 0);
});
