/** Purpose: a certificate that was revoked lets nobody in, and cuts off who is in already. */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { clientOf, writeCrl } from "../support/chain_authority.ts";
import { curl } from "../support/curl.ts";
import { eventually } from "../support/eventually.ts";
import { beginDownload, startHalfSendingOrigin, WHOLE_BODY } from "../support/half_sent.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { startProgram } from "../support/programs.ts";
import { within } from "../support/within.ts";
import { agentStatus, health } from "../support/zero.ts";

/** What the issue of a revocation may take until its connections are cut, in milliseconds. */
const LIMIT = 5_000;

Deno.test("a revoked client is cut off within 5 s, refused, and let in again when the list spares it", async () => {
  await using chain = await Chain.prepare({ server: { crl_file: "certs/ca.crl" } });
  await writeCrl(chain);
  await chain.startServer();
  await chain.startAgent();
  await using origin = startHalfSendingOrigin();
  const downloads = [
    await beginDownload(["-x", chain.proxyUrl, `http://${origin.host}/`]),
    await beginDownload(["-x", chain.proxyUrl, "-p", `http://${origin.host}/`]),
  ];
  assert.equal((await health(chain)).crl?.entries, 0);

  await writeCrl(chain, { revoked: [await clientOf(chain)] });
  const { fields } = await chain.server.log.waitFor("agent cut off", 0, LIMIT);
  assert.match(
    String(fields["reason"]),
    /its certificate \(CN=sallyport-client\) was revoked \(serial [0-9A-F]+\)$/,
  );
  for (const { ended } of downloads) {
    const { code, text } = await within(LIMIT, ended, "a download of the revoked client ends");
    assert.notEqual(code, 0);
    assert.ok(text.length < WHOLE_BODY.length);
  }
  await eventually("its connection is gone", async () => assert.equal((await health(chain)).connections, 0));
  assert.equal((await health(chain)).crl?.entries, 1);
  const lost = await chain.agent.log.waitFor("connection lost");
  assert.match(String(lost.fields["reason"]), /was revoked/);

  const refused = await chain.server.log.waitFor("agent refused");
  assert.equal(refused.fields["code"], "peer_rejected");
  assert.match(String(refused.fields["reason"]), /^Cannot let the peer in: its certificate .* was revoked/);
  await eventually("the agent knows", async () => assert.notEqual((await agentStatus(chain)).state, "ready"));

  await writeCrl(chain);
  await using site = startHttpOrigin(() => new Response("hello"));
  await eventually("it is let in again", async () => {
    const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${site.host}/`]);
    assert.equal(text, "hello", errors);
  });
  await chain.finish();
});

Deno.test("a client that reads nothing more is cut off as well when it is revoked", async () => {
  await using chain = await Chain.prepare({ server: { crl_file: "certs/ca.crl" } });
  await writeCrl(chain);
  await chain.startServer();
  await chain.startAgent();
  await eventually("the agent is in", async () => assert.equal((await health(chain)).connections, 1));
  chain.agent.kill("SIGSTOP");
  try {
    await writeCrl(chain, { revoked: [await clientOf(chain)] });
    await eventually("cut off", async () => assert.equal((await health(chain)).connections, 0), LIMIT);
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
      "it ran out at .*, a newer one is needed: make it with certs crl, and put it here",
    ],
    [{ thisUpdate: days(1), nextUpdate: days(2) }, "it is not valid before .*"],
    [{ issuer: "CN=somebody else" }, "its issuer is not CN=.*"],
  ] as const;
  for (const [options, reason] of lists) {
    await writeCrl(chain, options);
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
    const line = new RegExp(`^sallyport-server: Cannot use revocation list .*/ca\\.crl: ${reason}\\n$`);
    assert.match(server.log.text, line);
  }
});

Deno.test("a revocation list may be given as text", async () => {
  await using chain = await Chain.prepare();
  await writeCrl(chain, { revoked: [await clientOf(chain)] });
  await chain.startServer({ SALLYPORT_CRL_PEM: await Deno.readTextFile(`${chain.dir}/certs/ca.crl`) });
  await chain.startAgent();
  const { fields } = await chain.server.log.waitFor("agent refused");
  assert.match(String(fields["reason"]), /was revoked/);
  assert.equal((await health(chain)).connections, 0);
  await chain.finish();
});
