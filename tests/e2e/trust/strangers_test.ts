/** Purpose: the server accepts only clients with a client certificate of its CA, over TLS 1.3. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { agentStatus, health } from "../../support/programs/status.ts";

/** Connects to the server's port with curl, which trusts the server, so that only the server can refuse. */
function knock(chain: Chain, identity: readonly string[], ...flags: string[]) {
  return curl([
    ...["--connect-to", `sallyport-server:443:127.0.0.1:${chain.serverPort}`],
    ...["--cacert", `${chain.dir}/certs/ca.crt`, ...identity, ...flags, "https://sallyport-server/"],
  ]);
}

function identity(dir: string, name: "client" | "server"): string[] {
  return ["--cert", `${dir}/certs/${name}.crt`, "--key", `${dir}/certs/${name}.key`];
}

Deno.test("a client without a valid certificate receives no byte, and the log says why", async () => {
  await using chain = await Chain.start();
  await using stranger = await Chain.prepare();
  const strangers = {
    "no certificate": [],
    "issued by": identity(stranger.dir, "client"),
    "not for clientAuth": identity(chain.dir, "server"),
  };
  for (const [reason, certificate] of Object.entries(strangers)) {
    const before = chain.server.log.lines.length;
    const { code, text } = await knock(chain, certificate);
    assert.ok([35, 52, 56].includes(code), `exit code ${code} of curl does not mean a closed connection`);
    assert.equal(text, "");
    const { fields } = await chain.server.log.waitFor("agent refused", before);
    assert.equal(fields["code"], "peer_rejected");
    assert.match(String(fields["error"]), new RegExp(reason));
  }
  const old = await knock(chain, identity(chain.dir, "client"), "--tls-max", "1.2");
  assert.equal(old.code, 35, "curl: the handshake failed");
  await eventually("only the real agent is connected", async () => {
    assert.equal((await health(chain)).connections, 1);
  });
  await chain.finish();
});

Deno.test("an agent of another CA does not connect, and tells its clients why", async () => {
  await using stranger = await Chain.prepare();
  const [cert, key, ca] = ["client.crt", "client.key", "ca.crt"].map((name) =>
    `${stranger.dir}/certs/${name}`
  );
  await using chain = await Chain.start({ agent: { cert_file: cert, key_file: key, ca_cert_file: ca } });
  await eventually("the agent reports the failure", async () => {
    assert.equal((await agentStatus(chain)).state, "failed");
  });
  const { text, errors } = await curl(["-x", chain.proxyUrl, "-i", "http://127.0.0.1:9/"]);
  assert.match(text, /^HTTP\/1\.1 502 [^]*\r\nProxy-Status: [^\r\n]*error=tls_certificate_error/, errors);
  assert.equal((await health(chain)).connections, 0);
  await chain.finish();
});
