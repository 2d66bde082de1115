/**
 * Purpose: a client that opens streams to targets that never answer gets at most its share of the server's pending
 * dials, is refused beyond that with 503, and returns its share when it disconnects.
 */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { sendRequest } from "../../support/programs/proxy_request.ts";
import { eventually } from "../../support/eventually.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { RawClient } from "../../support/clients/raw_client.ts";
import { startSilentTarget } from "../../support/origins/silent_target.ts";
import { assertIdle, health } from "../../support/programs/status.ts";

/** Pending dials that one client may have: half of the server's limit. */
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
    await eventually("all are pending", async () => assert.equal((await health(chain)).streams, SHARE));
    const { status, text } = await sendRequest(chain.proxyPort, "connect", host, port);
    assert.equal(status, 503, text);
    assert.match(
      text,
      new RegExp(`limit_reached: .*: too many connections to targets at once for this client \\(${SHARE}\\)`),
    );
    await Promise.all(clients.map((client) => client.close()));
    await assertIdle(chain);
    await using origin = startHttpOrigin(() => new Response("hello"));
    assert.equal((await sendRequest(chain.proxyPort, "absolute", "127.0.0.1", origin.port)).status, 200);
    await chain.finish();
  },
});
