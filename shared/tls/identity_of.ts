import { createHash, type X509Certificate } from "node:crypto";
import { SallyportError } from "../errors.ts";
import { DER, readDer } from "./der.ts";

/**
 * Identifies a certificate by what its CA signed: SHA-256 of the tbsCertificate (RFC 5280 section 4.1), in hex with
 * colons, like a fingerprint. The holder cannot choose it. A fingerprint covers the signature as well, and the holder
 * can replace an ECDSA signature by a second valid one and so get another fingerprint.
 *
 * @throws {SallyportError} `bad_request` when the certificate is not one DER value.
 */
export function identityOf({ raw }: Pick<X509Certificate, "raw">): string {
  const bytes = new Uint8Array(raw);
  const [certificate] = readDer(bytes);
  const [signed] = certificate?.tag === DER.sequence ? readDer(certificate.content) : [];
  if (signed?.tag !== DER.sequence || certificate?.raw.length !== bytes.length) {
    throw new SallyportError("bad_request", "Cannot identify the certificate: it is not one DER value");
  }
  return createHash("sha256").update(signed.raw).digest("hex").toUpperCase().match(/../g)!.join(":");
}
