/** Purpose: every trusted CA needs a revocation list, and a stolen server key can be revoked. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import {
  clientOf,
  replaceFile,
  startRefused,
  startWithList,
  writeCrl,
} from "../../support/programs/chain_authority.ts";
import { beginDownload, startHalfSendingOrigin, WHOLE_BODY } from "../../support/clients/half_sent.ts";
import { eventually } from "../../support/eventually.ts";
import { TestPki } from "../../support/pki/pki.ts";
import { crlPem, testCrl } from "../../support/pki/test_crl.ts";
import { agentStatus, health } from "../../support/programs/status.ts";
import { within } from "../../support/within.ts";

const read = (chain: Chain, name: string) => Deno.readTextFile(`${chain.dir}/certs/${name}`);

Deno.test("a server with two CAs needs a list of each, at the start and at a reload", async () => {
  await using chain = await Chain.prepare({ server: { crl_file: "certs/ca.crl" } });
  const other = await TestPki.create();
  const otherList = crlPem(await testCrl(other.authority.files, { revoked: [] }));
  await writeCrl(chain, { revoked: [await clientOf(chain)] });
  const own = await read(chain, "ca.crl");
  await replaceFile(chain, "ca.crt", `${await read(chain, "ca.crt")}\n${other.ca}`);
  await replaceFile(chain, "ca.crl", otherList);
  assert.match(
    await startRefused(chain),
    /it has no list of CN=.* \(serial [0-9A-F]+\).*make one with certs crl/,
  );

  await replaceFile(chain, "ca.crl", `${own}\n${otherList}`);
  await chain.startServer();
  assert.equal((await health(chain)).crl?.authorities.length, 2);
  assert.equal((await health(chain)).crl?.entries, 1);
  await chain.startAgent();
  const refused = await chain.server.log.waitFor("agent refused");
  assert.match(String(refused.fields["error"]), /was revoked/);

  await replaceFile(chain, "ca.crl", otherList);
  const { fields } = await chain.server.log.waitFor("certificates not reloaded, the old ones stay");
  assert.match(String(fields["error"]), /it has no list of CN=/);
  assert.equal((await health(chain)).crl?.authorities.length, 2);
  await chain.finish();
});

Deno.test("a server refuses to start with a certificate that its own list revokes", async () => {
  await using chain = await Chain.prepare();
  await writeCrl(chain, { revoked: [await read(chain, "server.crt")] });
  assert.match(await startRefused(chain), /server\.crt: it was revoked \(serial [0-9A-F]+\)/);
});

Deno.test("an agent with crl_file ends its session with a revoked server, and refuses it from then on", async () => {
  await using chain = await startWithList("agent");
  await using origin = startHalfSendingOrigin();
  const download = await beginDownload(["-x", chain.proxyUrl, `http://${origin.host}/`]);

  await writeCrl(chain, { revoked: [await read(chain, "server.crt")] });
  const cut = await chain.agent.log.waitFor("server disconnected");
  assert.match(String(cut.fields["error"]), /was revoked \(serial [0-9A-F]+\)$/);
  const left = await chain.server.log.waitFor("agent disconnected");
  assert.equal(left.fields["code"], "peer_rejected");
  assert.match(String(left.fields["error"]), /was revoked \(serial [0-9A-F]+\)$/);
  assert.doesNotMatch(
    chain.server.log.text,
    /agent lost its connection/,
    "the server does not wait for the client",
  );
  const { text } = await within(5_000, download.ended, "the download ends");
  assert.ok(text.length < WHOLE_BODY.length);
  const refused = await chain.agent.log.waitFor("connection failed");
  assert.equal(refused.fields["code"], "peer_rejected");
  assert.match(String(refused.fields["error"]), /was revoked/);
  await eventually("it is disconnected", async () => assert.equal((await health(chain)).connections, 0));

  await writeCrl(chain);
  await eventually("it is back", async () => assert.equal((await agentStatus(chain)).state, "ready"));
  await chain.finish();
});

Deno.test("a list that revokes the running server and a client disconnects the client; a revoked renewal is refused", async () => {
  await using chain = await Chain.prepare({ server: { crl_file: "certs/ca.crl" } });
  await using other = await Chain.prepare();
  await writeCrl(chain);
  await chain.startServer();
  await chain.startAgent();
  await eventually("the agent is connected", async () => assert.equal((await health(chain)).connections, 1));
  const own = await read(chain, "server.crt");
  await writeCrl(chain, { revoked: [own, await clientOf(chain)] });
  const cut = await chain.server.log.waitFor("agent cut off");
  assert.match(String(cut.fields["error"]), /was revoked/);
  const { fields } = await chain.server.log.waitFor(
    "own certificate is revoked, peers with the list refuse it: replace it",
  );
  assert.equal(fields["level"], "ERROR");
  assert.match(String(fields["error"]), /^it was revoked \(serial [0-9A-F]+\)$/);
  const report = await health(chain);
  assert.deepEqual([report.crl?.entries, report.certificate.revoked, report.connections], [2, true, 0]);

  // A certificate of another CA whose list revokes it: the one in use stays.
  const [renewed, key] = [await read(other, "server.crt"), await read(other, "server.key")];
  await writeCrl(other, { revoked: [renewed] });
  const before = chain.server.log.lines.length;
  await replaceFile(chain, "ca.crt", `${await read(chain, "ca.crt")}\n${await read(other, "ca.crt")}`);
  await replaceFile(chain, "ca.crl", `${await read(chain, "ca.crl")}\n${await read(other, "ca.crl")}`);
  await replaceFile(chain, "server.key", key);
  await replaceFile(chain, "server.crt", renewed);
  await eventually("the renewal is refused", async () =>
    assert.match(
      String((await health(chain)).last_reload?.error),
      /server\.crt: it was revoked \(serial [0-9A-F]+\); issue a new one with npx .* certs issue --server/,
    ));
  assert.ok(chain.server.log.lines.length > before);
  assert.equal((await health(chain)).certificate.revoked, true);
  await chain.finish();
});

Deno.test({
  name: "an agent reloads its list on SIGHUP, and logs at the start when it has none",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using chain = await Chain.prepare({ agent: { crl_file: "certs/ca.crl" } });
    await using other = await Chain.start();
    await other.agent.log.waitFor("no CRL configured: revoked server certificates are accepted");
    await writeCrl(chain);
    await chain.startServer();
    await chain.startAgent();
    assert.doesNotMatch(chain.agent.log.text, /no CRL configured/);
    await eventually("the tunnel is up", async () => assert.equal((await agentStatus(chain)).state, "ready"));
    await writeCrl(chain, { revoked: [await read(chain, "server.crt")] });
    chain.agent.kill("SIGHUP");
    await chain.agent.log.waitFor("certificates reloaded");
    await chain.agent.log.waitFor("server disconnected");
    assert.equal((await agentStatus(chain)).crl?.entries, 1);
    await chain.finish();
    await other.finish();
  },
});
