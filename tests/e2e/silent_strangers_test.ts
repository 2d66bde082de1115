/**
 * Purpose: strangers at one address who connect to the agents' port and say nothing keep no agent out that comes from
 * another address.
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { Chain } from "../support/chain.ts";
import { curl } from "../support/curl.ts";
import { eventually } from "../support/eventually.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { metrics } from "../support/metrics.ts";
import { agentStatus } from "../support/zero.ts";

/** More than there may be handshakes at once. */
const SILENT = 300;
const MAX_HANDSHAKES = 256;

/** Says nothing to the agents' port. */
function silent(port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" }, () => resolve(socket));
  socket.on("error", reject).resume();
  return promise;
}

const notLinux = Deno.build.os === "linux" ? undefined : "only Linux has the whole of 127.0.0.0/8";
Deno.test({
  name: `silent connections of one address keep no agent out${notLinux ? ` (skipped: ${notLinux})` : ""}`,
  ignore: notLinux !== undefined,
  async fn() {
    await using chain = await Chain.prepare();
    await chain.startServer();
    const sockets = await Promise.all(Array.from({ length: SILENT }, () => silent(chain.serverPort)));
    const open = () => sockets.filter((socket) => !socket.closed).length;
    try {
      await eventually("one address has all handshakes", async () => {
        const used = (await metrics(chain)).get('sallyport_limit_largest_share{limit="handshakes"}');
        assert.equal(used, MAX_HANDSHAKES);
      });
      await chain.startAgent();
      await eventually("the agent is connected", async () => {
        assert.equal((await agentStatus(chain)).state, "ready");
      });
      assert.ok(open() >= MAX_HANDSHAKES - 2, `only ${open()} are left of those that were there before`);
      await using origin = startHttpOrigin(() => new Response("hello"));
      assert.equal((await curl(["-x", chain.proxyUrl, `http://${origin.host}/`])).text, "hello");
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await chain.finish();
  },
});
