import "reflect-metadata"; // @peculiar/x509 needs it first
import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { CertifiedKey } from "../../../agent/certs/authority/certificate_authority.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A certificate in which a test can get anything wrong. */
export class MadeCertificate {
  private constructor(readonly certificate: x509.X509Certificate, readonly keys: CryptoKeyPair) {}

  /**
   * Creates a certificate.
   *
   * @param subject As "CN=x".
   * @param extensions All its extensions.
   * @param issuer Signs the certificate. @default {itself}
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

  /** Creates a CA certificate. */
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

  /** Creates a client certificate. */
  static client(
    subject: string,
    issuer: MadeCertificate,
    extensions: x509.Extension[] = [],
  ): Promise<MadeCertificate> {
    const usage = new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]);
    return this.create(subject, [usage, ...extensions], issuer);
  }

  /** The certificate as the programs parse it. */
  get read(): X509Certificate {
    return new X509Certificate(this.pem);
  }

  get pem(): string {
    return this.certificate.toString("pem") + "\n";
  }

  /** Returns its key, and its certificate followed by the given chain. */
  async certified(...chain: MadeCertificate[]): Promise<CertifiedKey> {
    const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", this.keys.privateKey)).toBase64();
    return {
      cert: [this, ...chain].map(({ pem }) => pem).join(""),
      key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`,
    };
  }
}

/**
 * A chain that is as expensive to follow as possible: every certificate belongs to a CA of the same name and is issued by
 * the next; all but the first are in reverse order.
 *
 * @param subject The name of all CAs, as "CN=x".
 */
export async function confusingChain(length: number, subject: string): Promise<CertifiedKey> {
  const line = [await MadeCertificate.authority(subject)];
  while (line.length < length) line.push(await MadeCertificate.authority(subject, line.at(-1)));
  const [leaf, ...others] = line.reverse();
  return await leaf!.certified(...others.reverse());
}

/**
 * A chain that is as expensive as possible for TLS libraries: its certificates share one name, and all but those at the
 * ends share one key, so that each could have issued any other. The path to the root leads through all of them.
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

/** Counts the certificate signatures that are verified while `use` runs. */
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
