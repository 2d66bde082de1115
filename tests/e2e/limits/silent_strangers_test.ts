/**
 * Purpose: silent connections from one address to the server's port do not lock out an agent that connects from another
 * address.
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { metrics } from "../../support/programs/metrics.ts";
import { agentStatus } from "../../support/programs/status.ts";

/** More than the limit of concurrent handshakes. */
const SILENT = 300;
const MAX_HANDSHAKES = 256;

/** Connects to the server's port and sends nothing. */
function silent(port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" }, () => resolve(socket));
  socket.on("error", reject).resume();
  return promise;
}

const notLinux = Deno.build.os === "linux" ? undefined : "only Linux has the whole of 127.0.0.0/8";
Deno.test({
  name: `silent connections from one address lock no agent out${notLinux ? ` (skipped: ${notLinux})` : ""}`,
  ignore: notLinux !== undefined,
  async fn() {
    await using chain = await Chain.prepare();
    await chain.startServer();
    const sockets = await Promise.all(Array.from({ length: SILENT }, () => silent(chain.serverPort)));
    const open = () => sockets.filter((socket) => !socket.closed).length;
    try {
      await eventually("one address uses all handshakes", async () => {
        const used = (await metrics(chain)).get('sallyport_limit_largest_share{limit="handshakes"}');
        assert.equal(used, MAX_HANDSHAKES);
      });
      await chain.startAgent();
      await eventually("the agent is connected", async () => {
        assert.equal((await agentStatus(chain)).state, "ready");
      });
      assert.ok(open() >= MAX_HANDSHAKES - 2, `only ${open()} of the silent connections are left`);
      await using origin = startHttpOrigin(() => new Response("hello"));
      assert.equal((await curl(["-x", chain.proxyUrl, `http://${origin.host}/`])).text, "hello");
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await chain.finish();
  },
});
