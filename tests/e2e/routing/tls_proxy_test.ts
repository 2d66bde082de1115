/**
 * Purpose: the tunnel goes through a corporate proxy with TLS, trusting the company's CA, and problems of the proxy's
 * certificate are distinguished from those of the server's.
 */
import assert from "node:assert/strict";
import type { LeafOptions } from "../../../agent/certs/authority/certificate_authority.ts";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { EXPIRED, TestPki } from "../../support/pki/pki.ts";
import type { Credentials } from "../../support/proxies/proxy_config.ts";
import { proxyProgram, startProxy } from "../../support/proxies/proxy_program.ts";
import { testBytes } from "../../support/test_bytes.ts";
import { agentStatus } from "../../support/programs/status.ts";

const BODY = testBytes(1_000_000, 7);
const CREDENTIALS = { user: "alice", password: "s3cret" };
const corporate = await TestPki.create("Corporate CA");
const squid = await proxyProgram("squid");

function test(name: string, fn: (program: string) => Promise<void>): void {
  const reason = squid === undefined ? " (skipped: no squid on this machine)" : "";
  Deno.test({ name: `${name}${reason}`, ignore: squid === undefined, fn: () => fn(squid!) });
}

function proxyCertificate(options: Partial<LeafOptions> = {}) {
  const alternativeNames = [{ type: "ip", value: "127.0.0.1" }] as const;
  return corporate.serverKey({ commonName: "proxy", alternativeNames: [...alternativeNames], ...options });
}

/** Keys of an agent behind a proxy, with the proxy's CA. */
async function behind(
  chain: Chain,
  port: number,
  credentials?: Credentials,
): Promise<Record<string, unknown>> {
  await Deno.writeTextFile(`${chain.dir}/corporate.crt`, corporate.ca);
  const login = credentials === undefined ? "" : `${credentials.user}:${credentials.password}@`;
  return { upstream_proxy: `https://${login}127.0.0.1:${port}`, upstream_ca_file: "corporate.crt" };
}

for (const credentials of [undefined, CREDENTIALS]) {
  const how = credentials === undefined ? "" : ", with user and password";
  test(`traffic goes through a squid that speaks TLS${how}`, async (program) => {
    await using chain = await Chain.prepare();
    const tls = await proxyCertificate();
    await using proxy = await startProxy("squid", program, chain.dir, credentials, { tls });
    Object.assign(chain.options, { agent: await behind(chain, proxy.port, credentials) });
    await chain.startServer();
    await chain.startAgent();
    await using origin = startHttpOrigin(() => new Response(BODY));
    const { body, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
    assert.deepEqual(body, BODY, `${errors}\n${chain.agent.log.text}`);
    assert.ok(!chain.agent.log.text.includes(CREDENTIALS.password), "the password is in the log");
    const { serverPort } = chain;
    await chain.finish();
    await eventually("squid logs its target", async () => {
      assert.ok((await proxy.connected()).includes(`127.0.0.1:${serverPort}`));
    });
  });
}

/** Problems of the proxy's certificate, the keys that differ, and the error. */
const FAULTS: Readonly<Record<string, [Partial<LeafOptions>, Record<string, unknown>, RegExp]>> = {
  "from an unknown CA": [
    {},
    { upstream_ca_file: "" },
    /its certificate \(CN=proxy\) was issued by CN=Corporate CA, which is not trusted here: write .* upstream_ca_file/,
  ],
  "of another CA": [
    {},
    { upstream_ca_file: "certs/ca.crt" },
    /its certificate \(CN=proxy\) was issued by CN=Corporate CA, not by CN=Sallyport CA \w+: check upstream_ca_file/,
  ],
  "of another name": [
    { alternativeNames: [{ type: "dns", value: "proxy.example" }] },
    {},
    /its certificate \(CN=proxy\) is not for "127\.0\.0\.1": it carries "proxy\.example"; .* upstream_proxy/,
  ],
  "that expired": [
    EXPIRED,
    {},
    /its certificate \(CN=proxy\) expired on \S+: the administrator of the proxy has to renew it/,
  ],
};
for (const [what, [certificate, keys, reason]] of Object.entries(FAULTS)) {
  test(`a proxy with a certificate ${what} is named in log, status and refusal, with what to do`, async (program) => {
    await using chain = await Chain.prepare();
    const tls = await proxyCertificate(certificate);
    await using proxy = await startProxy("squid", program, chain.dir, undefined, { tls });
    Object.assign(chain.options, { agent: { ...await behind(chain, proxy.port), ...keys } });
    await chain.startServer();
    await chain.startAgent();
    const { fields } = await chain.agent.log.waitFor("connection failed");
    assert.match(String(fields["error"]), reason);
    assert.match(String(fields["error"]), new RegExp(`through the proxy 127\\.0\\.0\\.1:${proxy.port}: `));
    // It is a problem of the path, not of the tunnel's certificates.
    assert.equal(fields["code"], "tunnel_down");
    assert.match((await agentStatus(chain)).error ?? "", reason);
    const { text } = await curl(["-x", chain.proxyUrl, "http://127.0.0.1:9/"]);
    assert.match(text, /^503 /);
    assert.match(text, reason);
    assert.deepEqual(await proxy.connected(), []);
    await chain.agent.stop();
    await chain.server.stop();
  });
}

Deno.test("an agent that cannot read its proxy's CA does not start, and names the file", async () => {
  await using chain = await Chain.prepare();
  Object.assign(chain.options, {
    agent: { server_port: 1, upstream_proxy: "https://127.0.0.1:9", upstream_ca_file: "nowhere.crt" },
  });
  await assert.rejects(chain.startAgent());
  assert.equal((await chain.agent.ended).code, 2);
  assert.match(chain.agent.log.text, /Cannot read upstream_ca_file \S+nowhere\.crt: /);
});
