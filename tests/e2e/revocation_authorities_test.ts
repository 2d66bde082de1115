/** Purpose: every trusted CA needs a revocation list, and a stolen server key can be revoked. */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { clientOf, replaceFile, writeCrl } from "../support/chain_authority.ts";
import { eventually } from "../support/eventually.ts";
import { TestPki } from "../support/pki.ts";
import { startProgram } from "../support/programs.ts";
import { crlPem, testCrl } from "../support/test_crl.ts";
import { within } from "../support/within.ts";
import { agentStatus, health } from "../support/zero.ts";

const read = (chain: Chain, name: string) => Deno.readTextFile(`${chain.dir}/certs/${name}`);

async function refusal(chain: Chain): Promise<string> {
  await using server = await startProgram("server", [], {
    env: {
      SALLYPORT_LISTEN_PORT: "0",
      SALLYPORT_HEALTH_PORT: "0",
      SALLYPORT_CERT_FILE: `${chain.dir}/certs/server.crt`,
      SALLYPORT_KEY_FILE: `${chain.dir}/certs/server.key`,
      SALLYPORT_CA_CERT_FILE: `${chain.dir}/certs/ca.crt`,
      SALLYPORT_CRL_FILE: `${chain.dir}/certs/ca.crl`,
    },
  });
  assert.equal((await within(10_000, server.ended, "the server's end")).code, 1);
  return server.log.text;
}

Deno.test("a server with two CAs needs a list of each, at the start and at a reload", async () => {
  await using chain = await Chain.prepare({ server: { crl_file: "certs/ca.crl" } });
  const other = await TestPki.create();
  const otherList = crlPem(await testCrl(other.authority.files, { revoked: [] }));
  await writeCrl(chain, { revoked: [await clientOf(chain)] });
  const own = await read(chain, "ca.crl");
  await replaceFile(chain, "ca.crt", `${await read(chain, "ca.crt")}\n${other.ca}`);
  await replaceFile(chain, "ca.crl", otherList);
  assert.match(await refusal(chain), /it has no list of CN=.* \(serial [0-9A-F]+\).*make one with certs crl/);

  await replaceFile(chain, "ca.crl", `${own}\n${otherList}`);
  await chain.startServer();
  assert.equal((await health(chain)).crl?.authorities.length, 2);
  assert.equal((await health(chain)).crl?.entries, 1);
  await chain.startAgent();
  const refused = await chain.server.log.waitFor("agent refused");
  assert.match(String(refused.fields["reason"]), /was revoked/);

  await replaceFile(chain, "ca.crl", otherList);
  const { fields } = await chain.server.log.waitFor("certificates not reloaded, the old ones stay");
  assert.match(String(fields["error"]), /it has no list of CN=/);
  assert.equal((await health(chain)).crl?.authorities.length, 2);
  await chain.finish();
});

Deno.test("a server refuses to start with a certificate that its own list revokes", async () => {
  await using chain = await Chain.prepare();
  await writeCrl(chain, { revoked: [await read(chain, "server.crt")] });
  assert.match(await refusal(chain), /server\.crt: it was revoked \(serial [0-9A-F]+\)/);
});

Deno.test("an agent with crl_file leaves a server that is revoked, and refuses it from then on", async () => {
  await using chain = await Chain.prepare({ agent: { crl_file: "certs/ca.crl" } });
  await writeCrl(chain);
  await chain.startServer();
  await chain.startAgent();
  await eventually("the tunnel is up", async () => assert.equal((await agentStatus(chain)).state, "ready"));

  await writeCrl(chain, { revoked: [await read(chain, "server.crt")] });
  const cut = await chain.agent.log.waitFor("server cut off");
  assert.match(String(cut.fields["reason"]), /was revoked \(serial [0-9A-F]+\)$/);
  const refused = await chain.agent.log.waitFor("connecting failed");
  assert.equal(refused.fields["code"], "peer_rejected");
  assert.match(String(refused.fields["reason"]), /was revoked/);
  await eventually("it is out", async () => assert.equal((await health(chain)).connections, 0));

  await writeCrl(chain);
  await eventually("it is back", async () => assert.equal((await agentStatus(chain)).state, "ready"));
  await chain.finish();
});
