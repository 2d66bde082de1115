import "reflect-metadata"; // x509 needs it to be there first
import type { KeyObject } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";
import { BACKDATED_MS } from "./limits.ts";
import { newPrivateKey } from "./new_private_key.ts";
import { toPem } from "./pem.ts";
import { publicKeyOf, readPrivateKey, type SigningKey, signingKeyOf } from "./signing_key.ts";

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

/** One name of a subject (RFC 5280 section 4.2.1.6). */
export interface AlternativeName {
  readonly type: "dns" | "uri" | "ip";
  readonly value: string;
}

/** What an authority certifies. */
export interface LeafOptions extends Validity {
  /** The subject's common name, 1 to 64 characters. */
  readonly commonName: string;
  /** What the key may be used for (RFC 5280 section 4.2.1.12). */
  readonly usages: readonly ("serverAuth" | "clientAuth")[];
  /** Names of the subject. @default {none} */
  readonly alternativeNames?: readonly AlternativeName[];
}

/** A list of what an authority takes back (RFC 5280 section 5). */
export interface ListOptions {
  /** Higher than that of the list before. */
  readonly number: bigint;
  readonly thisUpdate: Date;
  /** When the next list is due; no later than the authority's end. */
  readonly nextUpdate: Date;
  readonly entries: readonly x509.X509CrlEntryParams[];
}

const SERIAL_BYTES = 16;
/** ub-common-name of RFC 5280 appendix A.1. */
const MAX_COMMON_NAME = 64;
const CRL_NUMBER = "2.5.29.20";
/** What a new certificate says about itself by its own, also when it takes the place of another (subject key identifier, key usage, basic constraints, authority key identifier). */
const OWN_EXTENSIONS = ["2.5.29.14", "2.5.29.15", "2.5.29.19", "2.5.29.35"];

/** A private certificate authority: certificates as RFC 5280 has them, with P-256 keys, and no intermediate ones. */
export class Authority {
  readonly #key: SigningKey;

  private constructor(key: SigningKey, readonly root: x509.X509Certificate, readonly files: CertifiedKey) {
    this.#key = key;
  }

  /**
   * Makes an authority that nobody else knows.
   *
   * @throws {SallyportError} `bad_request` when the common name or the dates cannot be.
   */
  static async create(options: AuthorityOptions): Promise<Authority> {
    const { commonName = `Sallyport CA ${randomHex(4)}` } = options;
    const name = distinguishedName(commonName);
    const pem = await newPrivateKey();
    const key = await signingKeyOf(readPrivateKey(pem, "the new key"), "the new key");
    const root = await x509.X509CertificateGenerator.create({
      ...validity(options),
      serialNumber: randomHex(SERIAL_BYTES),
      subject: name,
      issuer: name,
      publicKey: key.publicKey,
      signingKey: key.privateKey,
      signingAlgorithm: key.algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(key.publicKey),
      ],
    });
    return new Authority(key, root, { cert: toPem(root.rawData, "CERTIFICATE"), key: pem });
  }

  /** An authority that exists: its certificate, and its key, which has to fit. */
  static async of(root: x509.X509Certificate, key: KeyObject, name: string): Promise<Authority> {
    const pem = String(key.export({ type: "pkcs8", format: "pem" }));
    const files = { cert: toPem(root.rawData, "CERTIFICATE"), key: pem };
    return new Authority(await signingKeyOf(key, name), root, files);
  }

  /**
   * Makes a key and a certificate for it; its life ends no later than the authority's.
   *
   * @throws {SallyportError} `bad_request` when the common name or the dates cannot be.
   */
  async issue(options: LeafOptions): Promise<CertifiedKey> {
    const { usages, alternativeNames = [] } = options;
    const said: x509.Extension[] = [];
    if (usages.length > 0) {
      said.push(new x509.ExtendedKeyUsageExtension(usages.map((use) => x509.ExtendedKeyUsage[use])));
    }
    if (alternativeNames.length > 0) {
      const names = alternativeNames.map(({ type, value }) => ({
        type: type === "uri" ? "url" : type,
        value,
      }));
      said.push(new x509.SubjectAlternativeNameExtension(names as x509.JsonGeneralNames));
    }
    const subject = distinguishedName(options.commonName);
    return await this.#certify({ subject, said, life: options, key: await newPrivateKey() });
  }

  /**
   * Makes a certificate that says of its subject what another one says.
   *
   * @param key The private key, PEM. @default a new one
   */
  async reissue(other: x509.X509Certificate, life: Validity, key?: string): Promise<CertifiedKey> {
    const said = other.extensions.filter(({ type }) => !OWN_EXTENSIONS.includes(type));
    return await this.#certify({ subject: other.subjectName, said, life, key: key ?? await newPrivateKey() });
  }

  /** Signs a list of certificates that are taken back; PEM. */
  async signList({ number, thisUpdate, nextUpdate, entries }: ListOptions): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.root.subjectName,
      thisUpdate: wholeSeconds(thisUpdate),
      nextUpdate: wholeSeconds(nextUpdate),
      entries: [...entries],
      extensions: [await this.#keyIdentifier(), new x509.Extension(CRL_NUMBER, false, derInteger(number))],
      signingKey: this.#key.privateKey,
      signingAlgorithm: this.#key.algorithm,
    });
    return toPem(list.rawData, "X509 CRL");
  }

  async #certify({ subject, said, life, key }: Leaf): Promise<CertifiedKey> {
    const { notBefore, notAfter } = validity(life);
    const publicKey = publicKeyOf(readPrivateKey(key, "the key"));
    const leaf = await x509.X509CertificateGenerator.create({
      notBefore,
      notAfter: notAfter < this.root.notAfter ? notAfter : this.root.notAfter,
      serialNumber: randomHex(SERIAL_BYTES),
      subject,
      issuer: this.root.subjectName,
      publicKey,
      signingKey: this.#key.privateKey,
      signingAlgorithm: this.#key.algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        await this.#keyIdentifier(),
        ...said,
      ],
    });
    return { cert: toPem(leaf.rawData, "CERTIFICATE"), key };
  }

  /** As the root writes it, which need not be the way in which it is made here (RFC 5280 section 4.2.1.1). */
  async #keyIdentifier(): Promise<x509.Extension> {
    const written = this.root.getExtension(x509.SubjectKeyIdentifierExtension);
    if (written !== null) return new x509.AuthorityKeyIdentifierExtension(written.keyId);
    return await x509.AuthorityKeyIdentifierExtension.create(this.#key.publicKey);
  }
}

interface Leaf {
  readonly subject: x509.Name;
  /** What it says of its subject. */
  readonly said: readonly x509.Extension[];
  readonly life: Validity;
  /** The private key, PEM. */
  readonly key: string;
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

function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}

/** A number of RFC 5280 is not negative: a byte with its highest bit set gets a zero before it. */
function derInteger(value: bigint): Uint8Array<ArrayBuffer> {
  const digits = value.toString(16);
  const bytes = Uint8Array.fromHex(digits.padStart(digits.length + digits.length % 2, "0"));
  const content = bytes[0]! < 0x80 ? bytes : Uint8Array.of(0, ...bytes);
  return Uint8Array.of(0x02, content.length, ...content);
}
