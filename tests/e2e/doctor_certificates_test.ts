/** Purpose: `agent doctor` tells apart what can be wrong with certificates and the clock, with the real fault each. */
import assert from "node:assert/strict";
import type { LeafOptions } from "../../agent/certs/authority.ts";
import type { ProblemName } from "../../agent/doctor/problems.ts";
import { Chain } from "../support/chain.ts";
import { clientOf, writeCrl } from "../support/chain_authority.ts";
import { environmentOf, examined, keysOf, keysWith, startTlsServer } from "../support/doctor.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { EXPIRED, NOT_YET_VALID, TestPki } from "../support/pki.ts";
import { startProgram } from "../support/programs.ts";
import { whyMissing } from "../support/tools.ts";

interface Row {
  readonly what: string;
  /** Common name of the CA of whoever answers in the server's place. @default the same CA */
  readonly issuer?: string;
  /** What is odd about its certificate. */
  readonly leaf?: Partial<LeafOptions>;
  /** Keys of the agent. */
  readonly keys?: Record<string, string>;
  readonly problem: ProblemName;
  readonly exitCode: number;
  readonly detail: RegExp;
}

const ROWS: readonly Row[] = [
  {
    what: "somebody on the path who opens TLS",
    issuer: "Corporate Inspection",
    problem: "interception",
    exitCode: 60,
    detail: /was issued by CN=Corporate Inspection, not by CN=Test CA/,
  },
  {
    what: "a CA of the same name that is another",
    issuer: "Test CA",
    problem: "wrong_ca",
    exitCode: 61,
    detail: /was issued by another CN=Test CA/,
  },
  {
    what: "a server's certificate that has expired",
    leaf: EXPIRED,
    problem: "server_dates",
    exitCode: 62,
    detail: /expired at/,
  },
  {
    what: "a server's certificate that is not good yet",
    leaf: NOT_YET_VALID,
    problem: "server_dates",
    exitCode: 62,
    detail: /is not valid before/,
  },
  {
    what: "a server's certificate for another name",
    keys: { server_name: "other.example" },
    problem: "server_name",
    exitCode: 63,
    detail: /is not for "other\.example": it carries "sallyport-server"/,
  },
  {
    what: "a client's certificate in place of a server's",
    leaf: { usages: ["clientAuth"] },
    problem: "server_certificate",
    exitCode: 64,
    detail: /is not for serverAuth/,
  },
];

for (const { what, issuer, leaf, keys, problem, exitCode, detail } of ROWS) {
  Deno.test(`agent doctor knows ${what}`, async () => {
    const pki = await TestPki.create();
    const other = issuer === undefined ? pki : await TestPki.create(issuer);
    await using server = await startTlsServer(await other.serverKey(leaf));
    await using origin = startHttpOrigin(() => new Response("hello"));
    const examination = await examined({
      keys: { ...keysWith(pki, await pki.clientKey()), server_port: server.port, ...keys },
      args: ["--control", `http://${origin.host}/`],
    });
    examination.assertCause("tls", problem, exitCode);
    assert.match(examination.step("tls").detail, detail);
  });
}

Deno.test("agent doctor knows an agent's certificate that has expired", async () => {
  const pki = await TestPki.create();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const keys = keysWith(pki, await pki.clientKey(EXPIRED));
  const examination = await examined({ keys, args: ["--control", `http://${origin.host}/`] });
  examination.assertCause("certificate", "certificate_dates", 31);
  assert.equal(examination.step("clock").outcome, "pass");
});

Deno.test("agent doctor knows a key that is not that of the certificate", async () => {
  const pki = await TestPki.create();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const [mine, other] = await Promise.all([pki.clientKey(), pki.clientKey()]);
  const keys = keysWith(pki, { cert: mine.cert, key: other.key });
  const examination = await examined({ keys, args: ["--control", `http://${origin.host}/`] });
  examination.assertCause("certificate", "certificate", 30);
});

Deno.test("agent doctor knows a certificate that was revoked", async () => {
  await using chain = await Chain.prepare({ server: { crl_file: "certs/ca.crl" } });
  await writeCrl(chain, { revoked: [await clientOf(chain)] });
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const examination = await examined({ keys: keysOf(chain), args: ["--control", `http://${origin.host}/`] });
  examination.assertCause("session", "not_accepted", 65);
  await chain.server.log.waitFor("agent refused");
  await chain.server.stop();
});

Deno.test("agent doctor knows a server whose certificate was revoked", async () => {
  await using chain = await Chain.prepare();
  await writeCrl(chain, {
    revoked: [await Deno.readTextFile(`${chain.dir}/certs/server.crt`), await clientOf(chain)],
  });
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const keys = { ...keysOf(chain), crl_file: `${chain.dir}/certs/ca.crl` };
  const examination = await examined({ keys, args: ["--control", `http://${origin.host}/`] });
  examination.assertCause("tls", "server_revoked", 68);
  assert.match(examination.step("tls").detail, /was revoked \(serial [0-9A-F]+\)/);
  assert.match(
    examination.step("certificate").detail,
    /crl_file revokes the agent's own certificate: .*; revocation list of CN=.*: 2 entries/,
  );
  await chain.server.stop();
});

Deno.test("agent doctor knows a server that trusts another CA", async () => {
  await using chain = await Chain.prepare();
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const strangers = await TestPki.create();
  const { cert, key } = await strangers.clientKey();
  const ca = await Deno.readTextFile(`${chain.dir}/certs/ca.crt`);
  const { cert_file: _, key_file: __, ca_cert_file: ___, ...where } = keysOf(chain);
  // It believes both CAs, as in the middle of a change, and the server only one.
  const keys = { ...where, cert_pem: cert, key_pem: key, ca_cert_pem: `${ca}${strangers.ca}` };
  const examination = await examined({ keys, args: ["--control", `http://${origin.host}/`] });
  examination.assertCause("session", "not_accepted", 65);
  await chain.server.stop();
});

Deno.test("agent doctor does not take a cached answer of the control site for a wrong clock", async () => {
  const pki = await TestPki.create();
  await using cache = startHttpOrigin(() => new Response("hello", { headers: { age: "500000" } }));
  const keys = keysWith(pki, await pki.clientKey(EXPIRED));
  const examination = await examined({ keys, args: ["--control", `http://${cache.host}/`] });
  examination.assertCause("certificate", "certificate_dates", 31);
});

Deno.test("agent doctor prints nothing that steers a terminal, whoever is on the path", async () => {
  const [pki, other] = await Promise.all([TestPki.create(), TestPki.create("evil\x1b[2J\x9b1m")]);
  await using server = await startTlsServer(await other.serverKey());
  const keys = { ...keysWith(pki, await pki.clientKey()), server_port: server.port };
  const env = environmentOf(keys);
  for (const args of [[], ["--json"]]) {
    const command = ["doctor", "--control", "http://127.0.0.1:1/", ...args];
    await using program = await startProgram("agent", command, { env });
    assert.equal((await program.ended).code, 60, program.log.text);
    assert.match(program.out.text, /evil\\u(\{1b\}|001b)\[2J\\u(\{9b\}|009b)1m/);
    // deno-lint-ignore no-control-regex -- they are what must not be there
    assert.doesNotMatch(program.out.text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  }
});

const noFaketime = await whyMissing("faketime");
for (const [offset, words] of [["-3d", /3 days behind/], ["+400d", /400 days ahead of/]] as const) {
  Deno.test({
    name: `agent doctor knows a clock that is wrong by ${offset}${
      noFaketime ? ` (skipped: ${noFaketime})` : ""
    }`,
    ignore: noFaketime !== undefined,
    async fn() {
      const pki = await TestPki.create();
      await using origin = startHttpOrigin(() => new Response("hello"));
      const examination = await examined({
        keys: keysWith(pki, await pki.clientKey()),
        args: ["--control", `http://${origin.host}/`],
        wrapper: ["faketime", "-f", offset],
      });
      examination.assertCause("clock", "clock", 27);
      assert.match(examination.step("clock").detail, words);
      assert.deepEqual(examination.step("certificate").because, "clock");
    },
  });
}
