/**
 * Purpose: the agent refuses targets in `block` in every request form and spelling, with a page that names the entry, and
 * sends nothing to the server or the target.
 */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { requestFormsFor, sendRequest } from "../../support/programs/proxy_request.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";

Deno.test("a blocked host is refused in every request form, and nothing is sent", async () => {
  const block = ["localhost", "*.ads.example", "127.0.0.0/8", "::1"];
  await using chain = await Chain.start({ agent: { block, bypass: ["127.0.0.1", "localhost"] } });
  let requests = 0;
  await using origin = startHttpOrigin(() => new Response(`${requests++}`));
  const hosts = [
    "127.0.0.1",
    "LocalHost.",
    "a.ads.example",
    "0x7f.1",
    "2130706433",
    "127.1",
    "::ffff:7f00:1",
    "::1",
  ];
  for (const host of hosts) {
    for (const form of requestFormsFor(host)) {
      const { status, reply, text } = await sendRequest(chain.proxyPort, form, host, origin.port);
      assert.equal(status ?? reply, status === undefined ? 2 : 403, `${form} ${host}: ${text}`);
      if (status === undefined) continue;
      assert.match(
        text,
        /Proxy-Status: sallyport; error=destination_ip_prohibited; details="target_denied: /,
      );
      assert.match(text, /block\[\d\] \(.*\) of the agent forbids it/);
    }
  }
  await chain.finish();
  assert.deepEqual([requests, chain.server.out.text], [0, ""]);
});

Deno.test("the refusal of a blocked host is HTML, JSON or text, and names the agent and the entry", async () => {
  await using chain = await Chain.start({ agent: { block: ["ads.example:80"] } });
  for (
    const [accept, type, words] of [
      ["text/html", "text/html", /<dt>Where<\/dt><dd>the agent, on this machine<\/dd>/],
      ["application/json", "application/json", /"where":"the agent, on this machine"/],
      ["*/*", "text/plain", /Where: {7}the agent, on this machine/],
    ] as const
  ) {
    const { text } = await curl([
      "-x",
      chain.proxyUrl,
      "-i",
      "-H",
      `Accept: ${accept}`,
      "http://ads.example/",
    ]);
    assert.match(text, new RegExp(`^HTTP/1\\.1 403 [^]*\r\nContent-Type: ${type}`));
    assert.match(text, words);
    assert.match(
      text,
      /Cannot connect to ads\.example:80: block\[0\] \(ads\.example:80\) of the agent forbids it/,
    );
  }
  await chain.finish();
  assert.equal(chain.server.out.text, "");
});

Deno.test("a kept connection works after a request for a blocked host", async () => {
  await using chain = await Chain.start({ agent: { block: ["ads.example"] } });
  await using origin = startHttpOrigin(() => new Response("hello"));
  const urls = ["http://ads.example/", `http://${origin.host}/`];
  const { text, errors } = await curl(["-x", chain.proxyUrl, "-v", "-w", "[%{http_code}]", ...urls]);
  assert.match(text, /\[403\]hello\[200\]$/);
  assert.match(errors, /[Rr]e-?using existing/);
  await chain.finish();
});
