import "reflect-metadata"; // x509 needs it to be there first
import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { CertifiedKey } from "../../agent/certs/authority.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A certificate with everything that a test wants to be wrong about it. */
export class MadeCertificate {
  private constructor(readonly certificate: x509.X509Certificate, readonly keys: CryptoKeyPair) {}

  /**
   * Makes a certificate.
   *
   * @param subject As "CN=x".
   * @param extensions All that it has.
   * @param issuer Who signs it. @default {itself}
   * @param keys Its keys. @default {new ones}
   */
  static async create(
    subject: string,
    extensions: x509.Extension[],
    issuer?: MadeCertificate,
    keys?: CryptoKeyPair,
  ): Promise<MadeCertificate> {
    keys ??= await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
    const certificate = await x509.X509CertificateGenerator.create({
      subject,
      issuer: issuer?.certificate.subject ?? subject,
      publicKey: keys.publicKey,
      signingKey: (issuer?.keys ?? keys).privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 3_600_000),
      extensions,
    });
    return new MadeCertificate(certificate, keys);
  }

  /** A CA. */
  static authority(
    subject: string,
    issuer?: MadeCertificate,
    extensions: x509.Extension[] = [],
    keys?: CryptoKeyPair,
  ): Promise<MadeCertificate> {
    return this.create(
      subject,
      [new x509.BasicConstraintsExtension(true, undefined, true), ...extensions],
      issuer,
      keys,
    );
  }

  /** A client. */
  static client(
    subject: string,
    issuer: MadeCertificate,
    extensions: x509.Extension[] = [],
  ): Promise<MadeCertificate> {
    const usage = new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]);
    return this.create(subject, [usage, ...extensions], issuer);
  }

  /** As the programs read it. */
  get read(): X509Certificate {
    return new X509Certificate(this.pem);
  }

  get pem(): string {
    return this.certificate.toString("pem") + "\n";
  }

  /** Its key, and its certificate with those that are given after it. */
  async certified(...chain: MadeCertificate[]): Promise<CertifiedKey> {
    const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", this.keys.privateKey)).toBase64();
    return {
      cert: [this, ...chain].map(({ pem }) => pem).join(""),
      key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`,
    };
  }
}

/**
 * A chain that costs the most to follow: all certificates are of CAs with one name, each is issued by the next, and
 * they stand in the reverse order after the first.
 *
 * @param subject The one name, as "CN=x".
 */
export async function confusingChain(length: number, subject: string): Promise<CertifiedKey> {
  const line = [await MadeCertificate.authority(subject)];
  while (line.length < length) line.push(await MadeCertificate.authority(subject, line.at(-1)));
  const [leaf, ...others] = line.reverse();
  return await leaf!.certified(...others.reverse());
}

/**
 * A chain that costs TLS libraries the most: certificates of one name, of which all but the ends have one key, so that
 * each may have issued each other, by name and by signature. The way to the end leads through all of them.
 */
export async function branchingChain(length: number, subject: string): Promise<CertifiedKey> {
  const ends = 8;
  const line = [await MadeCertificate.authority(subject)];
  while (line.length < ends) line.push(await MadeCertificate.authority(subject, line.at(-1)));
  const first = await MadeCertificate.authority(subject, line.at(-1));
  const { keys } = first;
  while (line.length < length - 1) line.push(await MadeCertificate.authority(subject, first, [], keys));
  const leaf = await MadeCertificate.client(subject, first);
  return await leaf.certified(...line.reverse());
}

/** Counts the signatures of certificates that are checked while `use` runs. */
export async function countChecks(use: () => unknown): Promise<number> {
  const { prototype } = X509Certificate;
  const { verify } = prototype;
  let count = 0;
  prototype.verify = function (key) {
    count++;
    return verify.call(this, key);
  };
  try {
    await use();
  } finally {
    prototype.verify = verify;
  }
  return count;
}
