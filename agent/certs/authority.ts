import "reflect-metadata"; // x509 needs it to be there first
import * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";

/** A certificate and its private key. */
export interface CertifiedKey {
  /** The certificate, PEM. */
  readonly cert: string;
  /** The private key, PEM (PKCS#8). */
  readonly key: string;
}

/** When a certificate is valid. */
export interface Validity {
  /** First moment. @default an hour ago, for the clocks that are behind */
  readonly notBefore?: Date;
  /** Last moment. */
  readonly notAfter: Date;
}

/** What makes an authority. */
export interface AuthorityOptions extends Validity {
  /** Its common name. @default "Sallyport CA" and eight random digits, so that two can be told apart */
  readonly commonName?: string;
}

/** What an authority certifies. */
export interface LeafOptions extends Validity {
  /** The subject's common name, 1 to 64 characters. */
  readonly commonName: string;
  /** What the key may be used for (RFC 5280 section 4.2.1.12). */
  readonly usages: readonly ("serverAuth" | "clientAuth")[];
  /** Names of the subject (RFC 5280 section 4.2.1.6). @default {none} */
  readonly alternativeNames?: readonly { readonly type: "dns" | "uri" | "ip"; readonly value: string }[];
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const BACKDATED_MS = 3_600_000;
const SERIAL_BYTES = 16;
/** ub-common-name of RFC 5280 appendix A.1. */
const MAX_COMMON_NAME = 64;

/** A private certificate authority: P-256 keys, certificates as RFC 5280 has them, no intermediate ones. */
export class Authority {
  readonly #keys: CryptoKeyPair;
  readonly #root: x509.X509Certificate;

  private constructor(keys: CryptoKeyPair, root: x509.X509Certificate, readonly files: CertifiedKey) {
    this.#keys = keys;
    this.#root = root;
  }

  /**
   * Makes an authority that nobody else knows.
   *
   * @throws {SallyportError} `bad_request` when the common name or the dates cannot be.
   */
  static async create(options: AuthorityOptions): Promise<Authority> {
    const { commonName = `Sallyport CA ${randomHex(4)}` } = options;
    const keys = await newKeys();
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity(options),
      serialNumber: randomHex(SERIAL_BYTES),
      name: distinguishedName(commonName),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new Authority(keys, root, { cert: pemOf(root), key: await keyPem(keys) });
  }

  /**
   * Makes a key and a certificate for it; its life ends no later than the authority's.
   *
   * @throws {SallyportError} `bad_request` when the common name or the dates cannot be.
   */
  async issue(options: LeafOptions): Promise<CertifiedKey> {
    const { notBefore, notAfter } = validity(options);
    const keys = await newKeys();
    const leaf = await x509.X509CertificateGenerator.create({
      notBefore,
      notAfter: notAfter < this.#root.notAfter ? notAfter : this.#root.notAfter,
      serialNumber: randomHex(SERIAL_BYTES),
      subject: distinguishedName(options.commonName),
      issuer: this.#root.subjectName,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: await this.#leafExtensions(keys, options),
    });
    return { cert: pemOf(leaf), key: await keyPem(keys) };
  }

  async #leafExtensions(keys: CryptoKeyPair, options: LeafOptions): Promise<x509.Extension[]> {
    const { usages, alternativeNames = [] } = options;
    const extensions: x509.Extension[] = [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
    ];
    if (usages.length > 0) {
      extensions.push(new x509.ExtendedKeyUsageExtension(usages.map((use) => x509.ExtendedKeyUsage[use])));
    }
    if (alternativeNames.length > 0) {
      const names = alternativeNames.map(({ type, value }) => ({
        type: type === "uri" ? "url" : type,
        value,
      }));
      extensions.push(new x509.SubjectAlternativeNameExtension(names as x509.JsonGeneralNames));
    }
    return extensions;
  }
}

function validity({ notBefore, notAfter }: Validity): { notBefore: Date; notAfter: Date } {
  const begin = wholeSeconds(notBefore ?? new Date(Date.now() - BACKDATED_MS));
  const end = wholeSeconds(notAfter);
  if (begin <= end) return { notBefore: begin, notAfter: end };
  const problem = `current life is ${begin.toISOString()} to ${end.toISOString()}`;
  throw new SallyportError("bad_request", `Cannot make a certificate: ${problem}`);
}

/** RFC 5280 section 4.1.2.5.2 allows no fraction of a second. */
function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

/** A name of one part, given with its type: of a mere string, quotes and commas would have a meaning. */
function distinguishedName(commonName: string): x509.Name {
  if (commonName.length >= 1 && commonName.length <= MAX_COMMON_NAME) {
    return new x509.Name([{ CN: [{ utf8String: commonName }] }]);
  }
  const problem =
    `current common name has ${commonName.length} characters, 1 to ${MAX_COMMON_NAME} are allowed`;
  throw new SallyportError("bad_request", `Cannot make a certificate: ${problem}`);
}

async function newKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
}

async function keyPem(keys: CryptoKeyPair): Promise<string> {
  const bytes = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return `${x509.PemConverter.encode(bytes, "PRIVATE KEY")}\n`;
}

function pemOf(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}
