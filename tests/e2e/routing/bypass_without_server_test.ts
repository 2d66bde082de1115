/**
 * Purpose: targets in `bypass` are reached while the tunnel is down or the server asleep, wake no server, and complete
 * when the agent stops.
 */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { FakeFleet } from "../../support/cloud/fake_fleet.ts";
import { curl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { beginDownload, startHalfSendingOrigin, WHOLE_BODY } from "../../support/clients/half_sent.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { startInProcessChain } from "../../support/programs/in_process_chain.ts";
import { unusedPort } from "../../support/programs/network.ts";
import { socketClosed, SocketOrigin } from "../../support/origins/socket_origin.ts";
import { agentStatus, assertFree } from "../../support/programs/status.ts";

const BYPASS = ["127.0.0.0/8"];

Deno.test("a bypassed host is reached while there is no server", async () => {
  await using chain = await Chain.prepare({ agent: { bypass: BYPASS, server_port: unusedPort() } });
  await using origin = startHttpOrigin(() => new Response("hello"));
  await chain.startAgent();
  for (const way of [["-x", chain.proxyUrl], ["-x", chain.proxyUrl, "-p"]]) {
    const { text, errors } = await curl([...way, `http://${origin.host}/`]);
    assert.equal(text, "hello", errors);
  }
  assert.notEqual((await agentStatus(chain)).state, "ready");
  assert.equal((await chain.agent.stop()).code, 0, chain.agent.log.text);
});

Deno.test("a bypassed host does not wake the server", async () => {
  await using chain = await Chain.prepare();
  await using fleet = new FakeFleet(await Deno.readTextFile(`${chain.dir}/certs/ca.crt`));
  Object.assign(chain.options, { agent: { ...fleet.keys, kill_on_exit: false, bypass: BYPASS } });
  await using origin = startHttpOrigin(() => new Response("hello"));
  await chain.startServer();
  fleet.run(chain.serverPort);
  await chain.startAgent();
  const stateIs = (state: string) =>
    eventually(`the agent is ${state}`, async () => assert.equal((await agentStatus(chain)).state, state));
  await stateIs("ready");
  await chain.server.stop();
  fleet.status = { state: "stopped", servers: [] };
  await stateIs("asleep");
  const asked = [fleet.count("wake"), fleet.count("query")];
  for (const way of [["-x", chain.proxyUrl], ["-x", chain.proxyUrl, "-p"]]) {
    const { text, errors } = await curl([...way, `http://${origin.host}/`]);
    assert.equal(text, "hello", errors);
  }
  assert.equal((await agentStatus(chain)).state, "asleep");
  assert.deepEqual([fleet.count("wake"), fleet.count("query")], asked);
  assert.equal((await chain.agent.stop()).code, 0, chain.agent.log.text);
});

Deno.test("a bypassed name is looked up by the agent, and nothing is left after its stop", async () => {
  await using origin = await SocketOrigin.start();
  origin.serve((socket) => {
    socket.on("end", () => socket.end());
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  });
  const asked: string[] = [];
  const chain = await startInProcessChain(
    () => Promise.reject(new Error("the server is asked for a name")),
    "",
    {
      lookup: (name) => {
        asked.push(name);
        return Promise.resolve([{ address: "127.0.0.1" }]);
      },
      environment: { SALLYPORT_BYPASS: "*.corp.example", SALLYPORT_BLOCK: "127.0.0.2,pay.corp.example" },
    },
  );
  const proxy = `http://127.0.0.1:${chain.proxyPort}`;
  for (const host of ["wiki.corp.example", "Wiki.Corp.Example."]) {
    const { text, errors } = await curl(["-x", proxy, `http://${host}:${origin.port}/`]);
    assert.equal(text, "hello", errors);
  }
  const { text } = await curl(["-x", proxy, "http://pay.corp.example/"]);
  assert.match(text, /^403 /);
  assert.deepEqual(new Set(asked), new Set(["wiki.corp.example"]), "a blocked name is not looked up");
  // One connection is kept for each spelling.
  const closed = [socketClosed(await origin.next()), socketClosed(await origin.next())];
  await chain[Symbol.asyncDispose]();
  await Promise.all(closed);
  assert.deepEqual(chain.serverTargets, []);
});

Deno.test("a bypassed name does not lead to an address in block", async () => {
  await using origin = startHttpOrigin(() => new Response("hello"));
  await using chain = await startInProcessChain(() => Promise.reject(new Error("no name is known")), "", {
    lookup: () => Promise.resolve([{ address: "127.0.0.1" }]),
    environment: { SALLYPORT_BYPASS: "*.corp.example", SALLYPORT_BLOCK: "127.0.0.0/8" },
  });
  const proxy = `http://127.0.0.1:${chain.proxyPort}`;
  const { text } = await curl(["-x", proxy, "-i", `http://wiki.corp.example:${origin.port}/`]);
  assert.match(
    text,
    /^HTTP\/1\.1 403 [^]*block\[0\] \(127\.0\.0\.0\/8\) of the agent forbids an address of it/,
  );
});

Deno.test("downloads from a bypassed host complete when the agent stops", async () => {
  await using chain = await Chain.prepare({ agent: { bypass: BYPASS, server_port: unusedPort() } });
  await using origin = startHalfSendingOrigin();
  await chain.startAgent();
  const downloads = [
    await beginDownload(["-x", chain.proxyUrl, `http://${origin.host}/`]),
    await beginDownload(["-x", chain.proxyUrl, "-p", `http://${origin.host}/`]),
  ];
  assert.equal((await agentStatus(chain)).direct_streams, 2);
  const stopped = chain.agent.stop();
  await eventually("the proxy port is closed", () => assertFree(chain.proxyPort));
  origin.release();
  for (const { ended } of downloads) assert.deepEqual(await ended, { code: 0, text: WHOLE_BODY });
  assert.equal((await stopped).code, 0, chain.agent.log.text);
});
