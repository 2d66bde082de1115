import "reflect-metadata"; // @peculiar/x509 needs it first
import type { KeyObject } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { SallyportError } from "../../../shared/errors.ts";
import { countOf } from "../../../shared/text/count_of.ts";
import { BACKDATED_MS } from "./limits.ts";
import { newPrivateKey, publicKeyOf, readPrivateKey, type SigningKey, signingKeyOf } from "./keys.ts";
import { encodePem } from "../../../shared/pki/x509/pem.ts";

/** A certificate and its private key. */
export interface CertifiedKey {
  /** The certificate, PEM. */
  readonly cert: string;
  /** The private key, PEM (PKCS#8). */
  readonly key: string;
}

/** The validity period of a certificate. */
export interface Validity {
  /** When it becomes valid. @default an hour ago, for machines whose clock is slow */
  readonly notBefore?: Date;
  /** When it expires. */
  readonly notAfter: Date;
}

/** Options of {@linkcode CertificateAuthority.create}. */
export interface AuthorityOptions extends Validity {
  /** Its common name. @default "Sallyport CA" and eight random digits, so that two CAs differ in name */
  readonly commonName?: string;
}

/** A subject alternative name (RFC 5280 section 4.2.1.6). */
export interface AlternativeName {
  readonly type: "dns" | "uri" | "ip";
  readonly value: string;
}

/** Options of {@linkcode CertificateAuthority.issue}. */
export interface LeafOptions extends Validity {
  /** The subject's common name, 1 to 64 characters. */
  readonly commonName: string;
  /** What the key may be used for (RFC 5280 section 4.2.1.12). */
  readonly usages: readonly ("serverAuth" | "clientAuth")[];
  /** Subject alternative names. @default {none} */
  readonly alternativeNames?: readonly AlternativeName[];
}

/** Content of a revocation list (RFC 5280 section 5). */
export interface ListOptions {
  /** CRL number, higher than that of the previous list. */
  readonly number: bigint;
  readonly thisUpdate: Date;
  /** When the list expires; no later than the CA. */
  readonly nextUpdate: Date;
  readonly entries: readonly x509.X509CrlEntryParams[];
}

const SERIAL_BYTES = 16;
/** ub-common-name of RFC 5280 appendix A.1. */
const MAX_COMMON_NAME = 64;
const CRL_NUMBER = "2.5.29.20";
/**
 * Extensions that every certificate gets new, also when it replaces another: subject key identifier, key usage, basic
 * constraints and authority key identifier.
 */
const OWN_EXTENSIONS = ["2.5.29.14", "2.5.29.15", "2.5.29.19", "2.5.29.35"];

/** A private CA. It issues RFC 5280 certificates with P-256 keys, without intermediate CAs. */
export class CertificateAuthority {
  readonly #key: SigningKey;

  private constructor(key: SigningKey, readonly root: x509.X509Certificate, readonly files: CertifiedKey) {
    this.#key = key;
  }

  /**
   * Creates a CA with a new key.
   *
   * @throws {SallyportError} `bad_request` when the common name or the dates are invalid.
   */
  static async create(options: AuthorityOptions): Promise<CertificateAuthority> {
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
    return new CertificateAuthority(key, root, { cert: encodePem(root.rawData, "CERTIFICATE"), key: pem });
  }

  /** Returns an existing CA. The key must be the certificate's. */
  static async of(root: x509.X509Certificate, key: KeyObject, name: string): Promise<CertificateAuthority> {
    const pem = String(key.export({ type: "pkcs8", format: "pem" }));
    const files = { cert: encodePem(root.rawData, "CERTIFICATE"), key: pem };
    return new CertificateAuthority(await signingKeyOf(key, name), root, files);
  }

  /**
   * Issues a certificate with a new key. It expires no later than the CA.
   *
   * @throws {SallyportError} `bad_request` when the common name or the dates are invalid.
   */
  async issue(options: LeafOptions): Promise<CertifiedKey> {
    const { usages, alternativeNames = [] } = options;
    const extensions: x509.Extension[] = [];
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
    const subject = distinguishedName(options.commonName);
    return await this.#certify({ subject, extensions, lifetime: options, key: await newPrivateKey() });
  }

  /**
   * Issues a certificate with the subject and the extensions of another one.
   *
   * @param key The private key, PEM. @default a new one
   */
  async reissue(other: x509.X509Certificate, lifetime: Validity, key?: string): Promise<CertifiedKey> {
    const extensions = other.extensions.filter(({ type }) => !OWN_EXTENSIONS.includes(type));
    return await this.#certify({
      subject: other.subjectName,
      extensions,
      lifetime,
      key: key ?? await newPrivateKey(),
    });
  }

  /** Signs a revocation list and returns it as PEM. */
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
    return encodePem(list.rawData, "X509 CRL");
  }

  async #certify({ subject, extensions, lifetime, key }: Leaf): Promise<CertifiedKey> {
    const { notBefore, notAfter } = validity(lifetime);
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
        ...extensions,
      ],
    });
    return { cert: encodePem(leaf.rawData, "CERTIFICATE"), key };
  }

  /** The root's subject key identifier where it has one: other programs compute it differently (RFC 5280 section 4.2.1.1). */
  async #keyIdentifier(): Promise<x509.Extension> {
    const ownId = this.root.getExtension(x509.SubjectKeyIdentifierExtension);
    if (ownId !== null) return new x509.AuthorityKeyIdentifierExtension(ownId.keyId);
    return await x509.AuthorityKeyIdentifierExtension.create(this.#key.publicKey);
  }
}

interface Leaf {
  readonly subject: x509.Name;
  /** Extensions besides {@linkcode OWN_EXTENSIONS}. */
  readonly extensions: readonly x509.Extension[];
  readonly lifetime: Validity;
  /** The private key, PEM. */
  readonly key: string;
}

function validity({ notBefore, notAfter }: Validity): { notBefore: Date; notAfter: Date } {
  const begin = wholeSeconds(notBefore ?? new Date(Date.now() - BACKDATED_MS));
  const end = wholeSeconds(notAfter);
  if (begin <= end) return { notBefore: begin, notAfter: end };
  const problem = `current validity is ${begin.toISOString()} to ${end.toISOString()}`;
  throw new SallyportError("bad_request", `Cannot make a certificate: ${problem}`);
}

/** RFC 5280 section 4.1.2.5.2 allows no fraction of a second. */
function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

/** A name with one part, passed with its type: in a plain string, quotes and commas are syntax. */
function distinguishedName(commonName: string): x509.Name {
  if (commonName.length >= 1 && commonName.length <= MAX_COMMON_NAME) {
    return new x509.Name([{ CN: [{ utf8String: commonName }] }]);
  }
  const problem = `current common name has ${
    countOf(commonName.length, "character")
  }, 1 to ${MAX_COMMON_NAME} are allowed`;
  throw new SallyportError("bad_request", `Cannot make a certificate: ${problem}`);
}

function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}

/** CRL numbers are not negative: a first byte with its highest bit set needs a zero byte before it. */
function derInteger(value: bigint): Uint8Array<ArrayBuffer> {
  const digits = value.toString(16);
  const bytes = Uint8Array.fromHex(digits.padStart(digits.length + digits.length % 2, "0"));
  const content = bytes[0]! < 0x80 ? bytes : Uint8Array.of(0, ...bytes);
  return Uint8Array.of(0x02, content.length, ...content);
}
