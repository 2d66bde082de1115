/** Purpose: after SIGTERM and Ctrl-C open transfers complete, and then the program exits with 0. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { within } from "../../support/within.ts";
import { eventually } from "../../support/eventually.ts";
import { beginDownload, startHalfSendingOrigin, WHOLE_BODY } from "../../support/clients/half_sent.ts";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  for (const part of ["server", "agent"] as const) {
    Deno.test(`a download during which the ${part} gets ${signal} completes`, async () => {
      await using chain = await Chain.start();
      await using origin = startHalfSendingOrigin();
      const downloads = [
        await beginDownload(["-x", chain.proxyUrl, `http://${origin.host}/`]),
        await beginDownload(["-x", chain.proxyUrl, "-p", `http://${origin.host}/`]),
      ];
      const stopped = chain[part].stop(signal);
      await assertRefusesNewConnections(part === "server" ? chain.serverPort : chain.proxyPort);
      origin.release();
      for (const { ended } of downloads) assert.deepEqual(await ended, { code: 0, text: WHOLE_BODY });
      assert.equal((await stopped).code, 0, chain[part].log.text);
      await (part === "server" ? chain.startServer() : chain.startAgent());
      await chain.finish();
    });
  }
}

/** From outside, a drain shows only by the closed port. */
async function assertRefusesNewConnections(port: number): Promise<void> {
  await eventually(`port ${port} is closed`, async () => {
    await assert.rejects(
      async () => (await Deno.connect({ hostname: "127.0.0.1", port })).close(),
      Deno.errors.ConnectionRefused,
    );
  });
}

Deno.test("a server exits after drain_timeout", async () => {
  await using chain = await Chain.start({ server: { drain_timeout: "300ms" } });
  await using origin = startHalfSendingOrigin();
  const { ended } = await beginDownload(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  await chain.server.stop("SIGTERM", 5000);
  const { code, text } = await within(10_000, ended, "the download fails at once");
  assert.notEqual(code, 0);
  assert.ok(text.length < WHOLE_BODY.length);
  await chain.startServer();
  await chain.finish();
});

Deno.test("a server that drains does not wait for an agent that was killed, although its session could resume", async () => {
  await using chain = await Chain.start({ server: { drain_timeout: "30s" } });
  await using origin = startHalfSendingOrigin();
  const { ended } = await beginDownload(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  const stopped = chain.server.stop("SIGTERM", 10_000);
  await assertRefusesNewConnections(chain.serverPort);
  await chain.agent.stop("SIGKILL");
  assert.equal((await stopped).code, 0, chain.server.log.text);
  await ended;
  await chain.startServer();
  await chain.startAgent();
  await chain.finish();
});
