import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";
import type { SallyportError } from "../../shared/errors.ts";
import type { DialledConnection } from "../../shared/tls/dial.ts";
import type { Identity } from "../../shared/pki/identity/identity.ts";
import type { IdentityStore } from "../../shared/pki/identity/identity_store.ts";
import { type Peer, revalidatePeer } from "../../shared/pki/peer_verification.ts";

type TLSSocket = Pick<DialledConnection["socket"], "once" | "destroyed">;

/** A connection to a server. */
interface Connection {
  readonly peer: Peer;
  /** Ends what the connection is used for, and closes it. */
  reject(error: SallyportError): void;
}

/** What {@linkcode ServerRevalidation} needs. */
export interface ServerRevalidationInit {
  /** The name that a server's certificate must carry. */
  readonly serverName: string;
  readonly identities: Pick<IdentityStore, "current" | "onChange">;
  readonly clock: Clock;
  readonly log: Pick<Logger, "error">;
}

/** Milliseconds between two checks of open connections. */
const INTERVAL = 60_000;

/**
 * Revalidates the certificates of connected servers when the agent's files change and every minute: a server whose
 * certificate was revoked or has expired since the handshake is disconnected. It is told why, so that it does not wait
 * for the agent to come back.
 */
export class ServerRevalidation {
  readonly #init: ServerRevalidationInit;
  readonly #open = new Map<TLSSocket, Connection>();
  readonly #unsubscribe: () => void;
  #cancel: CancelTimer | undefined;

  constructor(init: ServerRevalidationInit) {
    this.#init = init;
    this.#unsubscribe = init.identities.onChange((identity) => this.#checkAll(identity));
    this.#wait();
  }

  /** Adds a new connection and checks it at once: the files may have changed during the handshake. */
  add(socket: TLSSocket, connection: Connection): void {
    // Closed already: there will be no event.
    if (socket.destroyed) return;
    this.#open.set(socket, connection);
    socket.once("close", () => this.#open.delete(socket));
    this.#check(socket, connection, this.#init.identities.current);
  }

  /** Stops revalidating. */
  stop(): void {
    this.#unsubscribe();
    this.#cancel?.();
  }

  #wait(): void {
    this.#cancel = this.#init.clock.after(INTERVAL, () => {
      this.#checkAll(this.#init.identities.current);
      this.#wait();
    });
  }

  #checkAll(identity: Identity): void {
    for (const [socket, connection] of this.#open) this.#check(socket, connection, identity);
  }

  #check(socket: TLSSocket, connection: Connection, { authorities, revocation }: Identity): void {
    const { peer } = connection;
    const { serverName, clock, log } = this.#init;
    const at = new Date(clock.wallTime());
    const error = revalidatePeer(peer, { authorities, revocation, usage: "serverAuth", serverName, at });
    if (error === undefined) return;
    log.error("server disconnected", { error: error.message, serial: peer.serial });
    this.#open.delete(socket);
    connection.reject(error);
  }
}
