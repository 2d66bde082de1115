/** Purpose: the agent may start before the server: it answers 503 until the server is up. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { unusedPort } from "../../support/programs/network.ts";
import { agentStatus } from "../../support/programs/status.ts";

Deno.test("an agent without a server connects when one appears, and serves waiting requests", async () => {
  await using chain = await Chain.prepare();
  chain.serverPort = unusedPort();
  await chain.startAgent();
  await using origin = startHttpOrigin(() => new Response("at last"));
  assert.notEqual((await agentStatus(chain)).state, "ready");
  const waiting = curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  await chain.startServer();
  const { text, errors } = await waiting;
  assert.equal(text, "at last", errors);
  assert.equal((await agentStatus(chain)).state, "ready");
  await chain.finish();
});

Deno.test("a request that waited too long for a server is refused with 503", async () => {
  await using chain = await Chain.prepare();
  chain.serverPort = unusedPort();
  await chain.startAgent();
  const [plain, tunnel] = await Promise.all([
    curl(["-x", chain.proxyUrl, "-i", "http://127.0.0.1:9/"]),
    curl(["-x", chain.proxyUrl, "-p", "-w", "%{http_connect}", "http://127.0.0.1:9/"]),
  ]);
  assert.match(plain.text, /^HTTP\/1\.1 503 [^]*\r\nProxy-Status: [^\r\n]*error=destination_unavailable/);
  assert.equal(tunnel.text, "503", tunnel.errors);
  await chain.startServer();
  await chain.finish();
});
