import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { Identity } from "../../shared/tls/identity.ts";
import type { IdentityStore } from "../../shared/tls/identity_store.ts";
import type { TlsListener } from "../../shared/tls/listen.ts";
import { judgeAgain } from "../../shared/tls/peer.ts";
import type { Reception } from "./reception.ts";

/** What makes a {@linkcode Standing}. */
export interface StandingInit {
  readonly clock: Clock;
  readonly identities: Pick<IdentityStore, "current" | "onChange">;
  readonly listener: Pick<TlsListener, "use">;
  readonly reception: Pick<Reception, "expel">;
}

/** Milliseconds between two looks at open connections. */
const INTERVAL = 60_000;

/**
 * Keeps the standing of agents up to date: the listener judges newcomers by the newest identity, and those who are
 * in are judged again when it changes, and every minute, since certificates end meanwhile.
 */
export class Standing {
  readonly #init: StandingInit;
  #cancel: CancelTimer | undefined;

  constructor(init: StandingInit) {
    this.#init = init;
  }

  /** Begins, with the identity of the moment: it may have changed since the listener got one. */
  start(): void {
    const { identities } = this.#init;
    identities.onChange((identity) => this.#follow(identity));
    this.#follow(identities.current);
    this.#wait();
  }

  /** Judges nobody any more, unless the identity changes. */
  stop(): void {
    this.#cancel?.();
  }

  #follow(identity: Identity): void {
    this.#init.listener.use(identity);
    this.#judge(identity);
  }

  #judge({ authorities, revocation }: Identity): void {
    const { reception, clock } = this.#init;
    const rule = {
      authorities,
      revocation,
      usage: "clientAuth",
      proof: "alone",
      at: new Date(clock.wallTime()),
    } as const;
    reception.expel((peer) => judgeAgain(peer, rule));
  }

  #wait(): void {
    this.#cancel = this.#init.clock.after(INTERVAL, () => {
      this.#judge(this.#init.identities.current);
      this.#wait();
    });
  }
}
