/**
 * Purpose: without a client certificate, the server's port looks like an ordinary TLS 1.3 server of a private CA. Two
 * scanners examine it; every finding that is not due to the private CA is a failure.
 */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { noOpenssl } from "../../support/pki/openssl.ts";
import { sClient } from "../../support/pki/s_client.ts";
import { sslscan } from "../../support/scanners/sslscan.ts";
import { type Finding, testssl } from "../../support/scanners/testssl.ts";
import { whyMissing } from "../../support/tools.ts";
import { health } from "../../support/programs/status.ts";

const SERVER_NAME = "sallyport-server";
const SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/** Findings of testssl above "info" that are due to the private CA or to the scan itself, with the reason. */
const EXPECTED: Readonly<Record<string, string>> = {
  cert_chain_of_trust: "no public CA issued it, on purpose",
  cert_revocation: "the list of a private CA is a file on the server; its location is not published",
  // Names of versions 3.2 and later.
  overall_grade: "T: the chain of trust again",
  cert_extlifeSpan:
    "398 days is the limit for public CAs; the 825 that some clients require of every CA is kept",
  BREACH: "cannot be tested without a client certificate",
  // About the scanner's own openssl.
  engine_problem: "it has no GOST",
  optimal_proto: "its openssl takes a handshake without a certificate as failed",
};

/** The finding that disappears when the scanner knows the CA. */
const UNKNOWN_CA = "cert_chain_of_trust";

function aboveInfo(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ severity }) => !["OK", "INFO", "DEBUG"].includes(severity));
}

function severityOf(findings: readonly Finding[], id: string): string | undefined {
  return findings.find((each) => each.id === id)?.severity;
}

/** Asserts that the agent still works after a scan, that only its connection is open, and that log lines are short. */
async function assertUnharmed(chain: Chain): Promise<void> {
  await using origin = startHttpOrigin(() => new Response("hello"));
  const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  assert.equal(text, "hello", errors);
  assert.equal((await health(chain)).connections, 1, "connections of the real agent");
  const { lines } = chain.server.log;
  const refused = lines.filter(({ message }) => message === "agent refused");
  assert.ok(refused.length > 0, "the log shows refused scans");
  for (const { fields } of refused) {
    assert.match(String(fields["code"]), /^(peer_rejected|tunnel_down|limit_reached)$/);
    assert.ok(String(fields["error"]).length < 200, String(fields["error"]));
  }
  await chain.finish();
}

const noSslscan = await whyMissing("sslscan");
Deno.test({
  name: `sslscan sees TLS 1.3 and its suites, and nothing else${because(noSslscan)}`,
  ignore: noSslscan !== undefined,
  async fn() {
    await using chain = await Chain.start();
    const report = await sslscan(chain.serverPort, SERVER_NAME, chain.dir);
    assert.deepEqual(report.protocols, ["tls 1.3"], report.xml);
    assert.deepEqual(report.suites.toSorted(), SUITES.map((suite) => `TLSv1.3 ${suite}`), report.xml);
    const { renegotiates, compresses, heartbleeds } = report;
    assert.deepEqual([renegotiates, compresses, heartbleeds], [false, false, false], report.xml);
    await assertUnharmed(chain);
  },
});

const noTestssl = await whyMissing("testssl");
Deno.test({
  name: `testssl finds only what is due to the private CA${because(noTestssl)}`,
  ignore: noTestssl !== undefined,
  async fn() {
    await using chain = await Chain.start();
    const scan = { port: chain.serverPort, serverName: SERVER_NAME, dir: chain.dir };
    // Protocols, cipher categories, forward secrecy, preferences, certificate and extensions, vulnerabilities.
    const findings = await testssl({ ...scan, parts: ["-p", "-s", "-f", "-P", "-S", "-U"] });
    const unexpected = aboveInfo(findings).filter(({ id }) => !(id in EXPECTED));
    assert.deepEqual(unexpected, []);
    // A scan that failed would have no findings either.
    const seen = ["TLS1_3", "SSLv3", "cipherlist_NULL", "cert_expirationStatus", "heartbleed", "CRIME_TLS"];
    for (const id of [...seen, "secure_renego"]) assert.equal(severityOf(findings, id), "OK", id);
    for (const id of ["TLS1", "TLS1_1", "TLS1_2"]) {
      assert.match(findings.find((each) => each.id === id)?.finding ?? "", /^not offered/, id);
    }
    assert.equal(severityOf(findings, UNKNOWN_CA), "CRITICAL");

    const known = await testssl({ ...scan, parts: ["-S"], caFile: `${chain.dir}/certs/ca.crt` });
    assert.equal(severityOf(known, UNKNOWN_CA), "OK", "the chain, with the CA known");
    assert.equal(severityOf(known, "cert_trust"), "OK", "the name in the certificate");
    await assertUnharmed(chain);
  },
});

Deno.test({
  name: `a peer without a certificate gets the TLS handshake and at most an alert${because(noOpenssl)}`,
  ignore: noOpenssl !== undefined,
  async fn() {
    await using chain = await Chain.start();
    const { text } = await sClient(chain.serverPort, ["-msg", "-CAfile", `${chain.dir}/certs/ca.crt`]);
    const received = [...text.matchAll(/^<<< TLS 1\.3, (?:Handshake|Alert) \[[^\]]*\], (.*)$/gm)].map((
      each,
    ) => each[1]);
    const handshake = ["ServerHello", "EncryptedExtensions", "CertificateRequest", "Certificate"];
    assert.deepEqual(received.slice(0, 6), [...handshake, "CertificateVerify", "Finished"], text);
    // Neither a session ticket nor anything else that follows a successful handshake.
    for (const more of received.slice(6)) assert.match(more!, /^(warning|fatal) /, text);
    assert.doesNotMatch(text, /^<<< .*InnerContent.*\n\s+17$/m, "application data");
    await assertUnharmed(chain);
  },
});

Deno.test("many unknown peers are counted, and do not flood the log", async () => {
  const peers = 400;
  await using chain = await Chain.start();
  const knock = async () => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: chain.serverPort });
    await connection.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
    // At most an alert; a reset is fine too.
    while (await connection.read(new Uint8Array(256)).catch(() => null) !== null);
  };
  for (let i = 0; i < peers; i += 20) await Promise.all(Array.from({ length: 20 }, knock));
  await assertUnharmed(chain);
  const { lines } = chain.server.log;
  const logged = lines.filter(({ message }) => message === "agent refused").length;
  const counted = lines.filter(({ message }) => message === "further refusals not logged one by one");
  // Several lines: a minute may end in between, and some connections are reset before they are read, another kind.
  assert.ok(logged <= 120, `${logged} lines`);
  assert.equal(logged + counted.reduce((sum, { fields }) => sum + Number(fields["refusals"]), 0), peers);
});

function because(reason: string | undefined): string {
  return reason === undefined ? "" : ` (skipped: ${reason})`;
}
