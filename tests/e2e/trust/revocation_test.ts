/** Purpose: the server refuses a revoked client, and disconnects it when it is connected. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { clientOf, startRefused, startWithList, writeCrl } from "../../support/programs/chain_authority.ts";
import { curl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { beginDownload, startHalfSendingOrigin, WHOLE_BODY } from "../../support/clients/half_sent.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { within } from "../../support/within.ts";
import { agentStatus, health } from "../../support/programs/status.ts";

/** Milliseconds from a new list until the connections of a revoked client are closed. */
const LIMIT = 5_000;

Deno.test("a revoked client is disconnected within 5 s, refused, and accepted again when it is no longer on the list", async () => {
  await using chain = await startWithList();
  await using origin = startHalfSendingOrigin();
  const downloads = [
    await beginDownload(["-x", chain.proxyUrl, `http://${origin.host}/`]),
    await beginDownload(["-x", chain.proxyUrl, "-p", `http://${origin.host}/`]),
  ];
  assert.equal((await health(chain)).crl?.entries, 0);

  await writeCrl(chain, { revoked: [await clientOf(chain)] });
  const { fields } = await chain.server.log.waitFor("agent cut off", 0, LIMIT);
  assert.match(
    String(fields["error"]),
    /its certificate \(CN=sallyport-client\) was revoked \(serial [0-9A-F]+\)$/,
  );
  for (const { ended } of downloads) {
    const { code, text } = await within(LIMIT, ended, "a download of the revoked client ends");
    assert.notEqual(code, 0);
    assert.ok(text.length < WHOLE_BODY.length);
  }
  await eventually("its connection is gone", async () => assert.equal((await health(chain)).connections, 0));
  assert.equal((await health(chain)).crl?.entries, 1);
  const lost = await chain.agent.log.waitFor("session lost");
  assert.match(String(lost.fields["error"]), /was revoked/);

  const refused = await chain.server.log.waitFor("agent refused");
  assert.equal(refused.fields["code"], "peer_rejected");
  assert.match(String(refused.fields["error"]), /^Cannot accept the peer: its certificate .* was revoked/);
  await eventually("the agent knows", async () => assert.notEqual((await agentStatus(chain)).state, "ready"));

  await writeCrl(chain);
  await using site = startHttpOrigin(() => new Response("hello"));
  await eventually("it is accepted again", async () => {
    const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${site.host}/`]);
    assert.equal(text, "hello", errors);
  });
  await chain.finish();
});

Deno.test("a client that no longer reads is disconnected too when it is revoked", async () => {
  await using chain = await startWithList();
  await eventually("the agent is connected", async () => assert.equal((await health(chain)).connections, 1));
  chain.agent.kill("SIGSTOP");
  try {
    await writeCrl(chain, { revoked: [await clientOf(chain)] });
    await eventually(
      "it is disconnected",
      async () => assert.equal((await health(chain)).connections, 0),
      LIMIT,
    );
  } finally {
    chain.agent.kill("SIGCONT");
  }
  await chain.finish();
});

Deno.test("a server does not start with a revocation list that it cannot use", async () => {
  await using chain = await Chain.prepare({ server: { crl_file: "certs/ca.crl" } });
  const days = (count: number) => new Date(Date.now() + count * 86_400_000);
  const lists = [
    [
      { thisUpdate: days(-9), nextUpdate: days(-2) },
      "it expired on .*; sign a new one with certs crl and copy it here",
    ],
    [{ thisUpdate: days(1), nextUpdate: days(2) }, "it is not valid before .*"],
    [{ issuer: "CN=Other CA" }, "its issuer is not CN=.*"],
  ] as const;
  for (const [options, reason] of lists) {
    await writeCrl(chain, options);
    const line = new RegExp(`^sallyport-server: Cannot use revocation list .*/ca\\.crl: ${reason}\\n$`);
    assert.match(await startRefused(chain), line);
  }
});

Deno.test("a server reads a revocation list given as text", async () => {
  await using chain = await Chain.prepare();
  await writeCrl(chain, { revoked: [await clientOf(chain)] });
  await chain.startServer({ SALLYPORT_CRL_PEM: await Deno.readTextFile(`${chain.dir}/certs/ca.crl`) });
  await chain.startAgent();
  const { fields } = await chain.server.log.waitFor("agent refused");
  assert.match(String(fields["error"]), /was revoked/);
  assert.equal((await health(chain)).connections, 0);
  await chain.finish();
});
