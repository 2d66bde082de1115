/** Purpose: HTTPS passes through CONNECT with the origin's own certificate: curl verifies it against the origin's CA. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { servingCertificate } from "../../support/pki/serving_certificate.ts";
import { sha256, testBytes } from "../../support/test_bytes.ts";

Deno.test("curl uses HTTPS with an origin, by name and by address, including HTTP/2", async () => {
  await using chain = await Chain.start({ allow: ["127.0.0.0/8", "::1/128", "localhost"] });
  const { ca, ...tls } = await servingCertificate();
  const caFile = `${chain.dir}/origin_ca.crt`;
  await Deno.writeTextFile(caFile, ca);
  const bytes = testBytes(5_000_000);
  await using origin = startHttpOrigin(async (request) => {
    return request.method === "POST" ? new Response(sha256(await request.bytes())) : new Response(bytes);
  }, tls);
  for (const host of ["localhost", "127.0.0.1"]) {
    const url = `https://${host}:${origin.port}/`;
    const down = await curl(["-x", chain.proxyUrl, "--cacert", caFile, url]);
    assert.equal(down.code, 0, down.errors);
    assert.equal(sha256(down.body), sha256(bytes));
    const up = await curl(["-x", chain.proxyUrl, "--cacert", caFile, "--data-binary", "@-", url], bytes);
    assert.equal(up.text, sha256(bytes), up.errors);
  }
  const untrusted = await curl(["-x", chain.proxyUrl, `https://127.0.0.1:${origin.port}/`]);
  assert.equal(untrusted.code, 60, "curl: peer certificate cannot be authenticated");
  await chain.finish();
});
