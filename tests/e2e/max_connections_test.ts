/**
 * Purpose: a server has at most `max_connections` agents' connections; one too many is told why, serves its clients
 * with 503 meanwhile, and gets in when another leaves.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { curl } from "../support/curl.ts";
import { eventually } from "../support/eventually.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { type Program, startProgram } from "../support/programs.ts";
import { health } from "../support/zero.ts";

/** Starts a second agent beside the chain's, with the same file. */
async function startSecondAgent(chain: Chain): Promise<{ agent: Program; proxyUrl: string }> {
  const agent = await startProgram("agent", ["--config", `${chain.dir}/agent.yaml`]);
  const { fields } = await agent.log.waitFor("proxy listening");
  return { agent, proxyUrl: `http://127.0.0.1:${fields["port"]}` };
}

Deno.test("an agent beyond max_connections is told so, and gets in after another left", async () => {
  await using chain = await Chain.start({ server: { max_connections: 1 } });
  await using origin = startHttpOrigin(() => new Response("hello"));
  const get = (proxyUrl: string) => curl(["-x", proxyUrl, "-i", `http://${origin.host}/`]);
  assert.match((await get(chain.proxyUrl)).text, /^HTTP\/1\.1 200 /);

  const second = await startSecondAgent(chain);
  await using agent = second.agent;
  const { fields } = await agent.log.waitFor("connecting failed");
  assert.equal(fields["code"], "limit_reached");
  assert.match(String(fields["reason"]), /all 1 connections \(max_connections\) are taken/);
  assert.equal((await chain.server.log.waitFor("agent refused")).fields["code"], "limit_reached");
  const refused = await get(second.proxyUrl);
  assert.match(refused.text, /^HTTP\/1\.1 503 /);
  assert.match(refused.text, /max_connections/);
  assert.match((await get(chain.proxyUrl)).text, /^HTTP\/1\.1 200 /, "the first agent is not disturbed");
  assert.equal((await health(chain)).connections, 1);

  assert.equal((await chain.agent.stop()).code, 0);
  await eventually("the second agent's turn", async () => {
    assert.match((await get(second.proxyUrl)).text, /^HTTP\/1\.1 200 /);
  });
  assert.equal((await agent.stop()).code, 0);
  await chain.startAgent();
  await chain.finish();
});
