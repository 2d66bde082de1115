import "reflect-metadata"; // x509 needs it to be there first
import * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";
import { DER, readDer } from "../../shared/tls/der.ts";
import { requireSerial } from "./names.ts";
import { pemBlocks } from "./pem.ts";
import { type Reason, reasonOf } from "./revocation_reasons.ts";

/** A certificate that was taken back. */
export interface Revoked {
  /** Its serial number, as `requireSerial` writes it. */
  readonly serial: string;
  /** Since when. */
  readonly at: Date;
  readonly reason: Reason;
  /** All that the list says of it beside the serial number and the time. */
  readonly extensions: readonly x509.Extension[];
}

const CRL_NUMBER = "2.5.29.20";

/** A revocation list as it was read (RFC 5280 section 5); its signature is for {@linkcode isSignedBy} to check. */
export class RevocationList {
  readonly #list: x509.X509Crl;
  readonly entries: readonly Revoked[];
  /** The list's number; 0 when it has none. */
  readonly number: bigint;

  /**
   * @param der The list's bytes.
   * @param name How messages call it.
   * @throws {SallyportError} `bad_request` when it cannot be read in whole.
   */
  constructor(der: Uint8Array<ArrayBuffer>, readonly name: string) {
    try {
      this.#list = new x509.X509Crl(der);
      this.entries = this.#list.entries.map(revokedOf);
      this.number = numberOf(this.#list);
    } catch (cause) {
      throw unusable(name, "it cannot be read as a revocation list", cause);
    }
  }

  /** Who made it, as text. */
  get issuer(): string {
    return this.#list.issuer;
  }

  get thisUpdate(): Date {
    return this.#list.thisUpdate;
  }

  /** When the next one is due; undefined when it does not say. */
  get nextUpdate(): Date | undefined {
    return this.#list.nextUpdate;
  }

  /** A critical extension, which gives all the list another meaning (RFC 5280 section 5.2); undefined without one. */
  get criticalExtension(): string | undefined {
    return this.#list.extensions.find(({ critical }) => critical)?.type;
  }

  /** The entry of a certificate, by its serial number. */
  find(serial: string): Revoked | undefined {
    return this.entries.find((entry) => entry.serial === serial);
  }

  /** Tells whether an authority has signed it. */
  async isSignedBy(authority: x509.X509Certificate): Promise<boolean> {
    try {
      return await this.#list.verify({ publicKey: authority.publicKey });
    } catch {
      return false; // an algorithm that does not go with the authority's key
    }
  }
}

/**
 * Reads every revocation list of a file, PEM or DER.
 *
 * @throws {SallyportError} `bad_request` when there is none, or one cannot be read in whole.
 */
export function parseLists(bytes: Uint8Array<ArrayBuffer>, name: string): RevocationList[] {
  if (bytes[0] === DER.sequence) return [new RevocationList(bytes, name)];
  let blocks: Uint8Array<ArrayBuffer>[];
  try {
    blocks = pemBlocks(new TextDecoder().decode(bytes), "X509 CRL");
  } catch (cause) {
    throw unusable(name, "it cannot be read as a revocation list", cause);
  }
  if (blocks.length === 0) throw unusable(name, "it has no entry BEGIN X509 CRL");
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

function unusable(name: string, problem: string, cause?: unknown): SallyportError {
  return new SallyportError("bad_request", `Cannot use ${name}: ${problem}`, { cause });
}
