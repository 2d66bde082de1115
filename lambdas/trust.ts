import type { X509Certificate } from "node:crypto";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";
import { parseAuthorities } from "../shared/tls/certificates.ts";
import { type Revocation, revocationOf } from "../shared/tls/revocation.ts";

/** What makes a {@linkcode TrustKeeper}. */
export interface TrustKeeperInit {
  /** The private CA, PEM. */
  readonly caPem: string;
  /** Where the CA's revocation list is kept, and what reads it, PEM. @default {nobody keeps one} */
  readonly crl?: {
    /** Name of the parameter, for messages. */
    readonly parameter: string;
    read(signal: AbortSignal): Promise<string>;
  } | undefined;
  readonly clock: Clock;
  readonly log: Pick<Logger, "error">;
}

/** Milliseconds for which a revocation list is used before it is read again. */
const CRL_LIFETIME = 60_000;
/** Milliseconds for which strangers cannot make a function try again what failed. */
const FAILURE_LIFETIME = 2_000;

/**
 * Whom a function believes, with a revocation list that is at most a minute old where it can be read. With one that
 * has ended nothing is done, as a server does not start with it: callers that it does not name get the reason.
 */
export class TrustKeeper {
  readonly #init: TrustKeeperInit;
  /** The certificates of the private CA. */
  readonly authorities: readonly X509Certificate[];
  #revocation: Revocation | undefined;
  #readAt = -Infinity;
  /** Why there is no list at all. */
  #failed: { readonly at: number; readonly error: unknown } | undefined;

  /** @throws {SallyportError} When the CA cannot be read. */
  constructor(init: TrustKeeperInit) {
    this.#init = init;
    const bytes = new TextEncoder().encode(init.caPem);
    this.authorities = parseAuthorities({ bytes, name: "CA certificate SALLYPORT_CA_CERT_PEM" });
  }

  /**
   * Which certificates the CA took back; undefined where nobody keeps a list. A list that cannot be read, or used,
   * leaves the last one in force.
   *
   * @throws What reading threw, when there is no last one: nobody may come in unjudged.
   */
  async revocation(signal: AbortSignal): Promise<Revocation | undefined> {
    const { crl, clock, log } = this.#init;
    if (this.#failed !== undefined && clock.now() - this.#failed.at < FAILURE_LIFETIME) {
      throw this.#failed.error;
    }
    if (crl !== undefined && !this.#isFresh()) {
      try {
        this.#revocation = this.#revocationOf(crl.parameter, await crl.read(signal));
        this.#readAt = clock.wallTime();
        this.#failed = undefined;
      } catch (error) {
        if (this.#revocation === undefined) {
          this.#failed = { at: clock.now(), error };
          throw error;
        }
        log.error("revocation list not read, the last one stays", { reason: String(error) });
        this.#readAt = clock.wallTime();
      }
    }
    return this.#revocation;
  }

  #revocationOf(parameter: string, text: string): Revocation {
    const now = new Date(this.#init.clock.wallTime());
    const material = {
      bytes: new TextEncoder().encode(text),
      name: `revocation list of the parameter ${parameter}`,
    };
    const revocation = revocationOf(material, this.authorities, now, { takesEnded: true });
    this.#requireNoOlder(revocation);
    return revocation;
  }

  /**
   * Why nothing may be done for callers that are let in: the list that was read last has ended. Asked at every call: a
   * list may end between two reads.
   */
  ended(): string | undefined {
    const list = this.#revocation?.endedAt(new Date(this.#init.clock.wallTime()));
    if (list === undefined) return undefined;
    return `the revocation list of ${list.issuer} ended at ${list.nextUpdate.toISOString()}: ` +
      `sign ${this.#init.crl?.parameter} again with certs crl, and deploy`;
  }

  /** Goes by wall time: the monotonic clock may stand still while the function is frozen between calls. */
  #isFresh(): boolean {
    const age = this.#init.clock.wallTime() - this.#readAt;
    return age >= 0 && age < CRL_LIFETIME;
  }

  /** An older list of the same CA would let in certificates that were revoked since (RFC 5280 section 5.2.3). */
  #requireNoOlder(revocation: Revocation): void {
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
function newestOf({ byAuthority }: Revocation): ReadonlyMap<string, bigint> {
  const newest = new Map<string, bigint>();
  for (const { issuer, number } of byAuthority) {
    if (number !== undefined && number > (newest.get(issuer) ?? -1n)) newest.set(issuer, number);
  }
  return newest;
}
