/**
 * Purpose: somebody who finds the server's port and has no certificate sees an ordinary TLS 1.3 server of a private
 * CA. Two scanners look at it; whatever they find beyond what a private CA brings with it is a failure.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { curl } from "../support/curl.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { noOpenssl } from "../support/openssl.ts";
import { sClient } from "../support/s_client.ts";
import { sslscan } from "../support/scanners/sslscan.ts";
import { type Finding, testssl } from "../support/scanners/testssl.ts";
import { whyMissing } from "../support/tools.ts";
import { health } from "../support/zero.ts";

const SERVER_NAME = "sallyport-server";
const SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/** Findings of testssl above "info" that belong to a private CA, or to the scan itself, and why each does. */
const EXPECTED: Readonly<Record<string, string>> = {
  cert_chain_of_trust: "no public root issued it, which is meant",
  cert_revocation:
    "the list of a private CA goes to the server as a file; strangers are not told where it is",
  // Names of versions 3.2 and later.
  overall_grade: "T: the chain of trust again",
  cert_extlifeSpan: "398 days bind public CAs; 825, which some clients demand of every CA, are kept",
  BREACH: "not to be tested: it wants a client's certificate",
  // About the scanner's own openssl.
  engine_problem: "it has no GOST",
  optimal_proto: "its openssl counts a handshake without a certificate as none",
};

/** The finding that a CA makes go away once it is known. */
const OF_STRANGERS = "cert_chain_of_trust";

function aboveInfo(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ severity }) => !["OK", "INFO", "DEBUG"].includes(severity));
}

function severityOf(findings: readonly Finding[], id: string): string | undefined {
  return findings.find((each) => each.id === id)?.severity;
}

/** The real agent is served after a scan, nothing but its connection is left, and the log has short lines. */
async function assertUnharmed(chain: Chain): Promise<void> {
  await using origin = startHttpOrigin(() => new Response("hello"));
  const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  assert.equal(text, "hello", errors);
  assert.equal((await health(chain)).connections, 1, "connections of the real agent");
  const { lines } = chain.server.log;
  const refused = lines.filter(({ message }) => message === "agent refused");
  assert.ok(refused.length > 0, "the log tells of strangers");
  for (const { fields } of refused) {
    assert.match(String(fields["code"]), /^(peer_rejected|tunnel_down|limit_reached)$/);
    assert.ok(String(fields["reason"]).length < 200, String(fields["reason"]));
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
  name: `testssl finds nothing that is not due to the private CA${because(noTestssl)}`,
  ignore: noTestssl !== undefined,
  async fn() {
    await using chain = await Chain.start();
    const scan = { port: chain.serverPort, serverName: SERVER_NAME, dir: chain.dir };
    // Protocols, kinds of suites, forward secrecy, preferences, certificate and extensions, vulnerabilities.
    const findings = await testssl({ ...scan, parts: ["-p", "-s", "-f", "-P", "-S", "-U"] });
    const unexpected = aboveInfo(findings).filter(({ id }) => !(id in EXPECTED));
    assert.deepEqual(unexpected, []);
    // A scan that saw nothing has no findings either.
    const seen = ["TLS1_3", "SSLv3", "cipherlist_NULL", "cert_expirationStatus", "heartbleed", "CRIME_TLS"];
    for (const id of [...seen, "secure_renego"]) assert.equal(severityOf(findings, id), "OK", id);
    for (const id of ["TLS1", "TLS1_1", "TLS1_2"]) {
      assert.match(findings.find((each) => each.id === id)?.finding ?? "", /^not offered/, id);
    }
    assert.equal(severityOf(findings, OF_STRANGERS), "CRITICAL");

    const known = await testssl({ ...scan, parts: ["-S"], caFile: `${chain.dir}/certs/ca.crt` });
    assert.equal(severityOf(known, OF_STRANGERS), "OK", "the chain, for somebody who knows the CA");
    assert.equal(severityOf(known, "cert_trust"), "OK", "the name in the certificate");
    await assertUnharmed(chain);
  },
});

Deno.test({
  name: `a stranger gets the handshake of TLS and at most an alert, whatever it sends${because(noOpenssl)}`,
  ignore: noOpenssl !== undefined,
  async fn() {
    await using chain = await Chain.start();
    const { text } = await sClient(chain.serverPort, ["-msg", "-CAfile", `${chain.dir}/certs/ca.crt`]);
    const received = [...text.matchAll(/^<<< TLS 1\.3, (?:Handshake|Alert) \[[^\]]*\], (.*)$/gm)].map((
      each,
    ) => each[1]);
    const handshake = ["ServerHello", "EncryptedExtensions", "CertificateRequest", "Certificate"];
    assert.deepEqual(received.slice(0, 6), [...handshake, "CertificateVerify", "Finished"], text);
    // Neither a ticket nor anything else of a server that goes on.
    for (const more of received.slice(6)) assert.match(more!, /^(warning|fatal) /, text);
    assert.doesNotMatch(text, /^<<< .*InnerContent.*\n\s+17$/m, "application data");
    await assertUnharmed(chain);
  },
});

Deno.test("a crowd of strangers is counted, and does not fill the log", async () => {
  const strangers = 400;
  await using chain = await Chain.start();
  const knock = async () => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: chain.serverPort });
    await connection.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
    // An alert at the most; a reset is as good.
    while (await connection.read(new Uint8Array(256)).catch(() => null) !== null);
  };
  for (let i = 0; i < strangers; i += 20) await Promise.all(Array.from({ length: 20 }, knock));
  await assertUnharmed(chain);
  const { lines } = chain.server.log;
  const told = lines.filter(({ message }) => message === "agent refused").length;
  const counted = lines.filter(({ message }) => message === "more agents refused, not logged one by one");
  // A minute may end while they come, and some are reset before they are read, which is another kind.
  assert.ok(told <= 120, `${told} lines`);
  assert.equal(told + counted.reduce((sum, { fields }) => sum + Number(fields["count"]), 0), strangers);
});

function because(reason: string | undefined): string {
  return reason === undefined ? "" : ` (skipped: ${reason})`;
}
