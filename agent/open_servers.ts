import type { CancelTimer, Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";
import type { DialledConnection } from "../shared/tls/dial.ts";
import type { Identity } from "../shared/tls/identity.ts";
import type { IdentityStore } from "../shared/tls/identity_store.ts";
import { judgeAgain, type Peer } from "../shared/tls/peer.ts";

type TLSSocket = Pick<DialledConnection["socket"], "once" | "destroy">;

/** What makes {@linkcode OpenServers}. */
export interface OpenServersInit {
  /** The name that a server's certificate must carry. */
  readonly serverName: string;
  readonly identities: Pick<IdentityStore, "current" | "onChange">;
  readonly clock: Clock;
  readonly log: Pick<Logger, "error">;
}

/** Milliseconds between two looks at open connections. */
const INTERVAL = 60_000;

/**
 * The connections to servers, judged again when the agent's files change and every minute: a server whose certificate
 * was revoked or ended since the handshake is cut off.
 */
export class OpenServers {
  readonly #init: OpenServersInit;
  readonly #open = new Map<TLSSocket, Peer>();
  #cancel: CancelTimer | undefined;

  constructor(init: OpenServersInit) {
    this.#init = init;
    init.identities.onChange((identity) => this.#judgeAll(identity));
    this.#wait();
  }

  /** Takes a new connection. The files may have changed during its handshake, so it is judged at once. */
  add(socket: TLSSocket, peer: Peer): void {
    this.#open.set(socket, peer);
    socket.once("close", () => this.#open.delete(socket));
    this.#judge(socket, peer, this.#init.identities.current);
  }

  /** Ends the judging every minute. */
  stop(): void {
    this.#cancel?.();
  }

  #wait(): void {
    this.#cancel = this.#init.clock.after(INTERVAL, () => {
      this.#judgeAll(this.#init.identities.current);
      this.#wait();
    });
  }

  #judgeAll(identity: Identity): void {
    for (const [socket, peer] of this.#open) this.#judge(socket, peer, identity);
  }

  #judge(socket: TLSSocket, peer: Peer, { authorities, revocation }: Identity): void {
    const { serverName, clock, log } = this.#init;
    const at = new Date(clock.wallTime());
    const error = judgeAgain(peer, { authorities, revocation, usage: "serverAuth", serverName, at });
    if (error === undefined) return;
    log.error("server cut off", { reason: error.message, serial: peer.serial });
    socket.destroy(error);
  }
}
