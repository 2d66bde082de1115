/**
 * Purpose: a server accepts at most `max_connections` connections; an agent beyond that gets the reason, answers its
 * clients with 503 meanwhile, and connects when another agent disconnects.
 */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { type Program, startProgram } from "../../support/programs/programs.ts";
import { health } from "../../support/programs/status.ts";

/** Starts a second agent with the same configuration file. */
async function startSecondAgent(chain: Chain): Promise<{ agent: Program; proxyUrl: string }> {
  const agent = await startProgram("agent", ["--config", `${chain.dir}/agent.yaml`]);
  const { fields } = await agent.log.waitFor("proxy listening");
  return { agent, proxyUrl: `http://127.0.0.1:${fields["port"]}` };
}

Deno.test("an agent beyond max_connections gets the reason, and connects after another has disconnected", async () => {
  await using chain = await Chain.start({ server: { max_connections: 1 } });
  await using origin = startHttpOrigin(() => new Response("hello"));
  const get = (proxyUrl: string) => curl(["-x", proxyUrl, "-i", `http://${origin.host}/`]);
  assert.match((await get(chain.proxyUrl)).text, /^HTTP\/1\.1 200 /);

  const second = await startSecondAgent(chain);
  await using agent = second.agent;
  const { fields } = await agent.log.waitFor("connection failed");
  assert.equal(fields["code"], "limit_reached");
  assert.match(String(fields["error"]), /all connections are taken \(max_connections is 1\)/);
  assert.equal((await chain.server.log.waitFor("agent refused")).fields["code"], "limit_reached");
  const refused = await get(second.proxyUrl);
  assert.match(refused.text, /^HTTP\/1\.1 503 /);
  assert.match(refused.text, /max_connections/);
  assert.match((await get(chain.proxyUrl)).text, /^HTTP\/1\.1 200 /, "the first agent is not affected");
  assert.equal((await health(chain)).connections, 1);

  assert.equal((await chain.agent.stop()).code, 0);
  await eventually("the second agent is connected", async () => {
    assert.match((await get(second.proxyUrl)).text, /^HTTP\/1\.1 200 /);
  });
  assert.equal((await agent.stop()).code, 0);
  await chain.startAgent();
  await chain.finish();
});
