/** Purpose: requests that an origin could parse differently from the agent never reach it; unambiguous ones are rewritten. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { RawClient } from "../../support/clients/raw_client.ts";
import { acceptedRequests, refusedRequests } from "../../support/clients/raw_requests.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";

Deno.test("an origin never gets an ambiguous request, nor the request hidden after it", async () => {
  await using chain = await Chain.start();
  await using origin = startTcpOrigin(() => Promise.resolve());
  const hidden = `GET http://${origin.host}/hidden HTTP/1.1\r\nHost: ${origin.host}\r\n\r\n`;
  for (const { name, raw, status } of refusedRequests(origin.host)) {
    const client = new RawClient(chain.proxyPort);
    client.send(raw + hidden);
    const said = await client.rest();
    assert.deepEqual(said.match(/^HTTP\/1\.1 \d+/gm), [`HTTP/1.1 ${status}`], name);
    assert.equal(client.outcome, "end", name);
    await client.close();
  }
  assert.equal(origin.accepted, 0);
  await chain.finish();
});

Deno.test("an origin gets one plain request for each unusual but unambiguous one", async () => {
  await using chain = await Chain.start();
  const seen: string[] = [];
  await using origin = startHttpOrigin(async (request) => {
    const length = request.headers.get("content-length") ?? "";
    assert.equal(request.headers.get("host"), origin.host);
    seen.push(
      `${request.method} ${request.url.replace(/^http:\/\/[^/]*/, "")} ${length} ${await request.text()}`,
    );
    return new Response("ok");
  });
  const requests = acceptedRequests(origin.host);
  for (const { name, raw } of requests) {
    const client = new RawClient(chain.proxyPort);
    client.send(raw);
    assert.match(await client.readTo("ok"), /^HTTP\/1\.1 200 /, name);
    await client.close();
  }
  assert.equal(seen.length, requests.length);
  for (const [index, { name, method, body }] of requests.entries()) {
    assert.ok(seen[index]!.startsWith(`${method} /`), name);
    assert.ok(seen[index]!.endsWith(` ${body}`), name);
  }
  await chain.finish();
});
