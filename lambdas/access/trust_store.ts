import type { X509Certificate } from "node:crypto";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";
import { parseAuthorities } from "../../shared/pki/x509/pem.ts";
import { loadRevocationLists } from "../../shared/pki/load_revocation_lists.ts";
import type { RevocationLists } from "../../shared/pki/revocation_lists.ts";

/** What makes a {@linkcode TrustStore}. */
export interface TrustStoreInit {
  /** The private CA, PEM. */
  readonly caPem: string;
  /** Where the CA's revocation list comes from, PEM. @default {no list} */
  readonly crl?: {
    /** Name of the parameter, for messages. */
    readonly parameter: string;
    read(signal: AbortSignal): Promise<string>;
  } | undefined;
  readonly clock: Clock;
  readonly log: Pick<Logger, "error">;
}

/** Milliseconds for which a revocation list is used before it is read again. */
const CRL_LIFETIME_MS = 60_000;
/** Milliseconds for which a failed read is not retried: anyone can cause reads. */
const FAILURE_LIFETIME_MS = 2_000;

/**
 * The CA and revocation list that a function checks callers against. The list is at most a minute old while it can be
 * read. With an expired list nothing is done, as no server starts with it: authenticated callers get the reason.
 */
export class TrustStore {
  readonly #init: TrustStoreInit;
  /** The certificates of the private CA. */
  readonly authorities: readonly X509Certificate[];
  #revocation: RevocationLists | undefined;
  #readAt = -Infinity;
  /** Why there is no list at all. */
  #failure: { readonly at: number; readonly error: unknown } | undefined;

  /** @throws {SallyportError} When the CA cannot be read. */
  constructor(init: TrustStoreInit) {
    this.#init = init;
    const bytes = new TextEncoder().encode(init.caPem);
    this.authorities = parseAuthorities({ bytes, name: "CA certificate SALLYPORT_CA_CERT_PEM" });
  }

  /**
   * The revoked certificates; undefined where no list is configured. When a list cannot be read or used, the last one
   * stays in force.
   *
   * @throws Whatever the read throws, when there is no last one: no caller may go unchecked.
   */
  async revocation(signal: AbortSignal): Promise<RevocationLists | undefined> {
    const { crl, clock, log } = this.#init;
    if (this.#failure !== undefined && clock.now() - this.#failure.at < FAILURE_LIFETIME_MS) {
      throw this.#failure.error;
    }
    if (crl !== undefined && !this.#isFresh()) {
      try {
        this.#revocation = this.#parseLists(crl.parameter, await crl.read(signal));
        this.#readAt = clock.wallTime();
        this.#failure = undefined;
      } catch (error) {
        if (this.#revocation === undefined) {
          this.#failure = { at: clock.now(), error };
          throw error;
        }
        log.error("revocation list not read, last one kept", { error: String(error) });
        this.#readAt = clock.wallTime();
      }
    }
    return this.#revocation;
  }

  #parseLists(parameter: string, text: string): RevocationLists {
    const now = new Date(this.#init.clock.wallTime());
    const material = {
      bytes: new TextEncoder().encode(text),
      name: `revocation list of the parameter ${parameter}`,
    };
    const revocation = loadRevocationLists(material, this.authorities, now, { allowExpired: true });
    this.#requireNotOlder(revocation);
    return revocation;
  }

  /**
   * Why nothing may be done for any caller: the last list has expired. To be checked at every call, since a list may
   * expire between two reads.
   */
  expiredReason(): string | undefined {
    const list = this.#revocation?.expiredAt(new Date(this.#init.clock.wallTime()));
    if (list === undefined) return undefined;
    return `the revocation list of ${list.issuer} expired on ${list.nextUpdate.toISOString()}: ` +
      `sign ${this.#init.crl?.parameter} again with certs crl, and deploy`;
  }

  /** By wall time: the monotonic clock may stop while the function is frozen between calls. */
  #isFresh(): boolean {
    const age = this.#init.clock.wallTime() - this.#readAt;
    return age >= 0 && age < CRL_LIFETIME_MS;
  }

  /** An older list of the same CA would accept certificates that were revoked since (RFC 5280 section 5.2.3). */
  #requireNotOlder(revocation: RevocationLists): void {
    const known = this.#revocation === undefined ? undefined : newestOf(this.#revocation);
    for (const [issuer, number] of newestOf(revocation)) {
      const before = known?.get(issuer);
      if (before === undefined || number >= before) continue;
      throw new Error(
        `Cannot use the revocation list of ${issuer}: its number is ${number}, lower than ${before}; deploy the newest`,
      );
    }
  }
}

/** The highest number of each CA's lists; lists without a number are left out. */
function newestOf({ byAuthority }: RevocationLists): ReadonlyMap<string, bigint> {
  const newest = new Map<string, bigint>();
  for (const { issuer, number } of byAuthority) {
    if (number !== undefined && number > (newest.get(issuer) ?? -1n)) newest.set(issuer, number);
  }
  return newest;
}
