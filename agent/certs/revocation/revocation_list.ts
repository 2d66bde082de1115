import "reflect-metadata"; // @peculiar/x509 needs it first
import * as x509 from "@peculiar/x509";
import { DER, readDer } from "../../../shared/pki/x509/der.ts";
import { requireSerial } from "../authority/names.ts";
import { decodePem } from "../../../shared/pki/x509/pem.ts";
import { unusable } from "../../../shared/pki/x509/pem_source.ts";
import { type Reason, reasonOf } from "./revocation_reasons.ts";

/** A revoked certificate. */
export interface Revoked {
  /** Its serial number, as `requireSerial` returns it. */
  readonly serial: string;
  /** When it was revoked. */
  readonly at: Date;
  readonly reason: Reason;
  /** The other extensions of its entry. */
  readonly extensions: readonly x509.Extension[];
}

const CRL_NUMBER = "2.5.29.20";

/** A parsed revocation list (RFC 5280 section 5); `isSignedBy` checks its signature. */
export class RevocationList {
  readonly #list: x509.X509Crl;
  readonly entries: readonly Revoked[];
  /** CRL number; 0 when it has none. */
  readonly number: bigint;

  /**
   * @param der The list in DER.
   * @param name What messages call it.
   * @throws {SallyportError} `bad_request` when a part of it cannot be parsed.
   */
  constructor(der: Uint8Array<ArrayBuffer>, readonly name: string) {
    try {
      this.#list = new x509.X509Crl(der);
      this.entries = this.#list.entries.map(revokedOf);
      this.number = numberOf(this.#list);
    } catch (cause) {
      throw unusable({ name }, "it cannot be read as a revocation list", cause);
    }
  }

  /** The name of its issuer. */
  get issuer(): string {
    return this.#list.issuer;
  }

  get thisUpdate(): Date {
    return this.#list.thisUpdate;
  }

  /** When it expires; undefined when it does not say. */
  get nextUpdate(): Date | undefined {
    return this.#list.nextUpdate;
  }

  /** A critical extension, which changes the meaning of the list (RFC 5280 section 5.2); undefined without one. */
  get criticalExtension(): string | undefined {
    return this.#list.extensions.find(({ critical }) => critical)?.type;
  }

  /** Returns the entry of a certificate, by its serial number. */
  find(serial: string): Revoked | undefined {
    return this.entries.find((entry) => entry.serial === serial);
  }

  /** Tells whether a CA signed it. */
  async isSignedBy(authority: x509.X509Certificate): Promise<boolean> {
    try {
      return await this.#list.verify({ publicKey: authority.publicKey });
    } catch {
      return false; // an algorithm that does not match the CA's key
    }
  }
}

/**
 * Reads all revocation lists in a file, PEM or DER.
 *
 * @throws {SallyportError} `bad_request` when there is none or one cannot be parsed.
 */
export function parseLists(bytes: Uint8Array<ArrayBuffer>, name: string): RevocationList[] {
  if (bytes[0] === DER.sequence) return [new RevocationList(bytes, name)];
  const blocks = decodePem({ bytes, name }, "X509 CRL");
  return blocks.map((der) => new RevocationList(der, name));
}

function revokedOf(entry: x509.X509CrlEntry): Revoked {
  const { extensions, revocationDate: at, reason } = entry;
  return { serial: requireSerial(entry.serialNumber), at, reason: reasonOf(reason), extensions };
}

function numberOf(list: x509.X509Crl): bigint {
  const value = list.getExtension(CRL_NUMBER)?.value;
  const [integer] = readDer(value && new Uint8Array(value));
  return integer === undefined ? 0n : BigInt(`0x${integer.content.toHex()}`);
}
