/**
 * Purpose: a client that opens streams to whatever never answers takes no more than its share of the server's
 * connections under way, is told so with 503, and gives its share back when it leaves.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { knock } from "../support/doors.ts";
import { eventually } from "../support/eventually.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { RawClient } from "../support/raw_client.ts";
import { startSilentTarget } from "../support/silent_target.ts";
import { assertQuiet, health } from "../support/zero.ts";

/** Connections that one client may have under way: half of what the server bears. */
const SHARE = 512;

const notLinux = Deno.build.os === "linux" ? undefined : "only Linux drops connections beyond a full backlog";
Deno.test({
  name: `more silent targets than a client's share are refused with 503${
    notLinux ? ` (skipped: ${notLinux})` : ""
  }`,
  ignore: notLinux !== undefined,
  async fn() {
    await using chain = await Chain.start();
    using target = await startSilentTarget();
    const [host, port] = [target.host.split(":")[0]!, Number(target.host.split(":")[1])];
    const clients = Array.from({ length: SHARE }, (_, i) => {
      const client = new RawClient(chain.proxyPort);
      const request = i % 2 === 0 ? `CONNECT ${target.host}` : `GET http://${target.host}/`;
      client.send(`${request} HTTP/1.1\r\nHost: a\r\n\r\n`);
      return client;
    });
    await eventually("all are under way", async () => assert.equal((await health(chain)).streams, SHARE));
    const { status, text } = await knock(chain.proxyPort, "connect", host, port);
    assert.equal(status, 503, text);
    assert.match(
      text,
      new RegExp(`limit_reached: .*: ${SHARE} connections to targets are under way for this client`),
    );
    await Promise.all(clients.map((client) => client.close()));
    await assertQuiet(chain);
    await using origin = startHttpOrigin(() => new Response("hello"));
    assert.equal((await knock(chain.proxyPort, "absolute", "127.0.0.1", origin.port)).status, 200);
    await chain.finish();
  },
});
