import type { X509Certificate } from "node:crypto";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";
import { parseAuthorities } from "../shared/tls/certificates.ts";
import { type Revocation, revocationOf } from "../shared/tls/revocation.ts";

/** What makes a {@linkcode TrustKeeper}. */
export interface TrustKeeperInit {
  /** The private CA, PEM. */
  readonly caPem: string;
  /** Reads the CA's revocation list, PEM. @default {nobody keeps one} */
  readonly readCrl?: ((signal: AbortSignal) => Promise<string>) | undefined;
  readonly clock: Clock;
  readonly log: Pick<Logger, "error">;
}

/** Milliseconds for which a revocation list is used before it is read again. */
const CRL_LIFETIME = 60_000;
/** Milliseconds for which strangers cannot make a function try again what failed. */
const FAILURE_LIFETIME = 2_000;

/**
 * Whom a function believes, with a revocation list that is at most a minute old where it can be read. One that ran
 * out is obeyed, since nobody would be let in otherwise, and complained about.
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
    const { readCrl, clock, log } = this.#init;
    if (this.#failed !== undefined && clock.now() - this.#failed.at < FAILURE_LIFETIME) {
      throw this.#failed.error;
    }
    if (readCrl !== undefined && clock.now() - this.#readAt >= CRL_LIFETIME) {
      try {
        this.#revocation = this.#revocationOf(await readCrl(signal));
        this.#readAt = clock.now();
        this.#failed = undefined;
      } catch (error) {
        if (this.#revocation === undefined) {
          this.#failed = { at: clock.now(), error };
          throw error;
        }
        log.error("revocation list not read, the last one stays", { reason: String(error) });
        this.#readAt = clock.now();
      }
    }
    return this.#revocation;
  }

  #revocationOf(text: string): Revocation {
    const now = new Date(this.#init.clock.wallTime());
    const material = { bytes: new TextEncoder().encode(text), name: "revocation list of the parameter" };
    const revocation = revocationOf(material, this.authorities, now, { takesEnded: true });
    if (revocation.nextUpdate < now) {
      const end = revocation.nextUpdate.toISOString();
      this.#init.log.error(
        "revocation list ran out: whom it names stays out, later revocations are not known; sign it anew and deploy",
        { end },
      );
    }
    return revocation;
  }
}
