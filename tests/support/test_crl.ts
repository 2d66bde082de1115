import "reflect-metadata"; // x509 needs it to be there first
import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { CertifiedKey } from "../../agent/certs/authority.ts";

/** What a revocation list of a test says. */
export interface TestCrlOptions {
  /** Certificates that were taken back, PEM. @default {none} */
  revoked?: readonly string[];
  /** @default {a minute ago} */
  thisUpdate?: Date;
  /** @default {in a week} */
  nextUpdate?: Date;
  /** @default {the subject of the authority} */
  issuer?: string;
  /** @default {none} */
  extensions?: x509.Extension[];
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Makes a revocation list that an authority with a P-256 key signed, DER. */
export async function testCrl(authority: CertifiedKey, options: TestCrlOptions = {}): Promise<Uint8Array> {
  const now = Date.now();
  const { revoked = [], thisUpdate = new Date(now - 60_000), nextUpdate = new Date(now + 7 * 86_400_000) } =
    options;
  const pkcs8 = x509.PemConverter.decodeFirst(authority.key);
  const signingKey = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, false, ["sign"]);
  const crl = await x509.X509CrlGenerator.create({
    issuer: options.issuer ?? new x509.X509Certificate(authority.cert).subjectName,
    thisUpdate,
    nextUpdate,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: options.extensions ?? [],
    entries: revoked.map((cert) => ({
      serialNumber: new X509Certificate(cert).serialNumber.toLowerCase(),
      revocationDate: thisUpdate,
    })),
  });
  return new Uint8Array(crl.rawData);
}

/** Writes lists as PEM, one after the other. */
export function crlPem(...lists: readonly Uint8Array[]): string {
  return lists.map((der) => `${x509.PemConverter.encode(der.slice().buffer, "X509 CRL")}\n`).join("");
}
