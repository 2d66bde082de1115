import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { Identity } from "../../shared/pki/identity/identity.ts";
import type { IdentityStore } from "../../shared/pki/identity/identity_store.ts";
import type { TlsListener } from "../../shared/tls/listen.ts";
import { revalidatePeer } from "../../shared/pki/peer_verification.ts";
import type { SessionRegistry } from "./session_registry.ts";

/** What makes a {@linkcode PeerRevalidation}. */
export interface PeerRevalidationInit {
  readonly clock: Clock;
  readonly identities: Pick<IdentityStore, "current" | "onChange">;
  readonly listener: Pick<TlsListener, "use">;
  readonly sessions: Pick<SessionRegistry, "revalidate">;
}

/** Milliseconds between two checks of open connections. */
const INTERVAL_MS = 60_000;

/**
 * Keeps every check of agents up to date: the listener checks new connections against the newest identity, and open
 * sessions are checked again when it changes, and every minute, since certificates expire.
 */
export class PeerRevalidation {
  readonly #init: PeerRevalidationInit;
  #cancel: CancelTimer | undefined;

  constructor(init: PeerRevalidationInit) {
    this.#init = init;
  }

  /** Starts with the current identity: it may have changed since the listener got its own. */
  start(): void {
    const { identities } = this.#init;
    identities.onChange((identity) => this.#use(identity));
    this.#use(identities.current);
    this.#schedule();
  }

  /** Stops the checks by time; a change of the identity still causes one. */
  stop(): void {
    this.#cancel?.();
  }

  #use(identity: Identity): void {
    this.#init.listener.use(identity);
    this.#check(identity);
  }

  #check({ authorities, revocation }: Identity): void {
    const { sessions, clock } = this.#init;
    const rules = {
      authorities,
      revocation,
      usage: "clientAuth",
      mode: "standalone",
      at: new Date(clock.wallTime()),
    } as const;
    sessions.revalidate((peer) => revalidatePeer(peer, rules));
  }

  #schedule(): void {
    this.#cancel = this.#init.clock.after(INTERVAL_MS, () => {
      this.#check(this.#init.identities.current);
      this.#schedule();
    });
  }
}
