import "reflect-metadata"; // @peculiar/x509 needs it first
import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { CertifiedKey } from "../../../agent/certs/authority/certificate_authority.ts";

/** Options of {@linkcode testCrl}. */
export interface TestCrlOptions {
  /** Revoked certificates, PEM. @default {none} */
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

/** Creates a revocation list signed by a CA with a P-256 key, DER. */
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

/** Encodes lists as consecutive PEM blocks. */
export function crlPem(...lists: readonly Uint8Array[]): string {
  return lists.map((der) => `${x509.PemConverter.encode(der.slice().buffer, "X509 CRL")}\n`).join("");
}
