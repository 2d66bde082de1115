/** Purpose: `agent doctor` distinguishes problems of certificates and the clock, each with the real problem. */
import assert from "node:assert/strict";
import type { LeafOptions } from "../../../agent/certs/authority/certificate_authority.ts";
import type { ProblemName } from "../../../agent/doctor/problems.ts";
import { Chain } from "../../support/programs/chain.ts";
import { clientOf, writeCrl } from "../../support/programs/chain_authority.ts";
import { environmentOf, keysOf, keysWith, runDoctor, startTlsServer } from "../../support/programs/doctor.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { EXPIRED, NOT_YET_VALID, TestPki } from "../../support/pki/pki.ts";
import { startProgram } from "../../support/programs/programs.ts";
import { whyMissing } from "../../support/tools.ts";

interface Row {
  readonly what: string;
  /** Common name of the answering server's CA. @default the same CA */
  readonly issuer?: string;
  /** What differs in the server's certificate. */
  readonly leaf?: Partial<LeafOptions>;
  /** Keys of the agent. */
  readonly keys?: Record<string, string>;
  readonly problem: ProblemName;
  readonly exitCode: number;
  readonly detail: RegExp;
}

const ROWS: readonly Row[] = [
  {
    what: "TLS interception on the path",
    issuer: "Corporate Inspection",
    problem: "interception",
    exitCode: 60,
    detail: /was issued by CN=Corporate Inspection, not by CN=Test CA/,
  },
  {
    what: "another CA with the same name",
    issuer: "Test CA",
    problem: "wrong_ca",
    exitCode: 61,
    detail: /was issued by another CN=Test CA/,
  },
  {
    what: "an expired server certificate",
    leaf: EXPIRED,
    problem: "server_dates",
    exitCode: 62,
    detail: /expired on/,
  },
  {
    what: "a server certificate that is not valid yet",
    leaf: NOT_YET_VALID,
    problem: "server_dates",
    exitCode: 62,
    detail: /is not valid before/,
  },
  {
    what: "a server certificate for another name",
    keys: { server_name: "other.example" },
    problem: "server_name",
    exitCode: 63,
    detail: /is not for "other\.example": it carries "sallyport-server"/,
  },
  {
    what: "a client certificate instead of a server certificate",
    leaf: { usages: ["clientAuth"] },
    problem: "server_certificate",
    exitCode: 64,
    detail: /is not for serverAuth/,
  },
];

for (const { what, issuer, leaf, keys, problem, exitCode, detail } of ROWS) {
  Deno.test(`agent doctor reports ${what}`, async () => {
    const pki = await TestPki.create();
    const other = issuer === undefined ? pki : await TestPki.create(issuer);
    await using server = await startTlsServer(await other.serverKey(leaf));
    await using origin = startHttpOrigin(() => new Response("hello"));
    const run = await runDoctor({
      keys: { ...keysWith(pki, await pki.clientKey()), server_port: server.port, ...keys },
      args: ["--control", `http://${origin.host}/`],
    });
    run.assertCause("tls", problem, exitCode);
    assert.match(run.step("tls").detail, detail);
  });
}

Deno.test("agent doctor reports an expired agent certificate", async () => {
  const pki = await TestPki.create();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const keys = keysWith(pki, await pki.clientKey(EXPIRED));
  const run = await runDoctor({ keys, args: ["--control", `http://${origin.host}/`] });
  run.assertCause("certificate", "certificate_dates", 31);
  assert.equal(run.step("clock").result, "pass");
});

Deno.test("agent doctor reports a key that does not match the certificate", async () => {
  const pki = await TestPki.create();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const [mine, other] = await Promise.all([pki.clientKey(), pki.clientKey()]);
  const keys = keysWith(pki, { cert: mine.cert, key: other.key });
  const run = await runDoctor({ keys, args: ["--control", `http://${origin.host}/`] });
  run.assertCause("certificate", "certificate", 30);
});

Deno.test("agent doctor reports a revoked certificate", async () => {
  await using chain = await Chain.prepare({ server: { crl_file: "certs/ca.crl" } });
  await writeCrl(chain, { revoked: [await clientOf(chain)] });
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const run = await runDoctor({ keys: keysOf(chain), args: ["--control", `http://${origin.host}/`] });
  run.assertCause("session", "not_accepted", 65);
  await chain.server.log.waitFor("agent refused");
  await chain.server.stop();
});

Deno.test("agent doctor reports from crl_file that the agent's own certificate is revoked", async () => {
  await using chain = await Chain.prepare();
  await writeCrl(chain, { revoked: [await clientOf(chain)] });
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  await Deno.chmod(`${chain.dir}/certs/client.key`, 0o644);
  const keys = { ...keysOf(chain), crl_file: `${chain.dir}/certs/ca.crl` };
  const run = await runDoctor({
    keys,
    args: ["--control", `http://${origin.host}/`, "--page", `http://${origin.host}/`],
  });
  run.assertCause("revocation", "certificate_revoked", 32);
  assert.match(run.step("revocation").detail, /was revoked \(serial [0-9A-F]+\)/);
  assert.match(run.step("certificate").detail, /client\.key is open to other users .*: chmod 600 /);
  await chain.server.stop();
});

Deno.test("agent doctor reports a revoked server certificate", async () => {
  await using chain = await Chain.prepare();
  await writeCrl(chain, {
    revoked: [await Deno.readTextFile(`${chain.dir}/certs/server.crt`)],
  });
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const keys = { ...keysOf(chain), crl_file: `${chain.dir}/certs/ca.crl` };
  const run = await runDoctor({ keys, args: ["--control", `http://${origin.host}/`] });
  run.assertCause("tls", "server_revoked", 68);
  assert.match(run.step("tls").detail, /was revoked \(serial [0-9A-F]+\)/);
  assert.match(run.step("certificate").detail, /; revocation list of CN=.*: 1 entries/);
  await chain.server.stop();
});

Deno.test("agent doctor reports a server that trusts another CA", async () => {
  await using chain = await Chain.prepare();
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const strangers = await TestPki.create();
  const { cert, key } = await strangers.clientKey();
  const ca = await Deno.readTextFile(`${chain.dir}/certs/ca.crt`);
  const { cert_file: _, key_file: __, ca_cert_file: ___, ...where } = keysOf(chain);
  // The agent trusts both CAs, as during a change of CA, and the server only one.
  const keys = { ...where, cert_pem: cert, key_pem: key, ca_cert_pem: `${ca}${strangers.ca}` };
  const run = await runDoctor({ keys, args: ["--control", `http://${origin.host}/`] });
  run.assertCause("session", "not_accepted", 65);
  await chain.server.stop();
});

Deno.test("agent doctor does not mistake a cached answer of the control site for a wrong clock", async () => {
  const pki = await TestPki.create();
  await using cache = startHttpOrigin(() => new Response("hello", { headers: { age: "500000" } }));
  const keys = keysWith(pki, await pki.clientKey(EXPIRED));
  const run = await runDoctor({ keys, args: ["--control", `http://${cache.host}/`] });
  run.assertCause("certificate", "certificate_dates", 31);
});

Deno.test("agent doctor prints no control characters from the path", async () => {
  const [pki, other] = await Promise.all([TestPki.create(), TestPki.create("evil\x1b[2J\x9b1m")]);
  await using server = await startTlsServer(await other.serverKey());
  const keys = { ...keysWith(pki, await pki.clientKey()), server_port: server.port };
  const env = environmentOf(keys);
  for (const args of [[], ["--json"]]) {
    const command = ["doctor", "--control", "http://127.0.0.1:1/", ...args];
    await using program = await startProgram("agent", command, { env });
    assert.equal((await program.ended).code, 60, program.log.text);
    assert.match(program.out.text, /evil\\u(\{1b\}|001b)\[2J\\u(\{9b\}|009b)1m/);
    // deno-lint-ignore no-control-regex -- the characters that must not appear
    assert.doesNotMatch(program.out.text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  }
});

const noFaketime = await whyMissing("faketime");
for (const [offset, words] of [["-3d", /3 days behind/], ["+400d", /400 days ahead of/]] as const) {
  Deno.test({
    name: `agent doctor reports a clock that is off by ${offset}${
      noFaketime ? ` (skipped: ${noFaketime})` : ""
    }`,
    ignore: noFaketime !== undefined,
    async fn() {
      const pki = await TestPki.create();
      await using origin = startHttpOrigin(() => new Response("hello"));
      const run = await runDoctor({
        keys: keysWith(pki, await pki.clientKey()),
        args: ["--control", `http://${origin.host}/`],
        wrapper: ["faketime", "-f", offset],
      });
      run.assertCause("clock", "clock", 27);
      assert.match(run.step("clock").detail, words);
      assert.deepEqual(run.step("certificate").caused_by, "clock");
    },
  });
}
