import assert from "node:assert/strict";
import { SallyportError } from "../errors.ts";
import { fromConnectionError, isAboutPeerCertificate } from "./connection_error.ts";

const withNumber = (code: string) => Object.assign(new Error("system says so"), { code });

const CASES: [string, "tunnel_down" | "peer_rejected", string][] = [
  ["ECONNREFUSED", "tunnel_down", "the connection was refused"],
  ["ECONNRESET", "tunnel_down", "the connection was reset by the peer"],
  ["ENOTFOUND", "tunnel_down", "the name does not resolve"],
  ["EWEIRD", "tunnel_down", "system says so"],
  [
    "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    "tunnel_down",
    "no common TLS version: TLSv1.3 is required",
  ],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "tunnel_down", "the other end does not speak TLS"],
  [
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "peer_rejected",
    "the peer did not accept our certificate",
  ],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "peer_rejected", "the peer did not accept our certificate"],
  [
    "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "peer_rejected",
    "the peer did not accept our certificate",
  ],
  [
    "ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "peer_rejected",
    "the peer did not accept our certificate",
  ],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "peer_rejected", "the peer's certificate was not accepted"],
];

for (const [number, code, words] of CASES) {
  Deno.test(`fromConnectionError translates ${number}`, () => {
    const cause = withNumber(number);
    const error = fromConnectionError(cause, "reach x");
    assert.equal(error.message, `Cannot reach x: ${words}`);
    assert.equal(error.code, code);
    assert.equal(error.cause, cause);
  });
}

Deno.test("fromConnectionError leaves a SallyportError as it is", () => {
  const error = new SallyportError("cancelled", "Cannot go on");
  assert.equal(fromConnectionError(error, "reach x"), error);
});

Deno.test("isAboutPeerCertificate distinguishes errors about the peer's certificate from alerts about ours", () => {
  assert.equal(isAboutPeerCertificate(withNumber("UNABLE_TO_VERIFY_LEAF_SIGNATURE")), true);
  assert.equal(isAboutPeerCertificate(withNumber("CERT_HAS_EXPIRED")), true);
  assert.equal(isAboutPeerCertificate(withNumber("ERR_SSL_TLSV1_ALERT_UNKNOWN_CA")), false);
  assert.equal(isAboutPeerCertificate(withNumber("ECONNRESET")), false);
  assert.equal(isAboutPeerCertificate("text"), false);
  assert.equal(isAboutPeerCertificate(undefined), false);
});
