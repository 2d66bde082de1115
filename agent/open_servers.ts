import { getLogger } from "../shared/log.ts";
import type { DialledConnection } from "../shared/tls/dial.ts";
import type { Identity } from "../shared/tls/identity.ts";
import type { IdentityStore } from "../shared/tls/identity_store.ts";
import { judgeAgain, type Peer } from "../shared/tls/peer.ts";

type TLSSocket = DialledConnection["socket"];

/**
 * The connections to servers, judged again whenever the agent's files change: a server whose certificate was revoked
 * since the handshake is cut off.
 */
export class OpenServers {
  readonly #serverName: string;
  readonly #identities: Pick<IdentityStore, "current">;
  readonly #open = new Map<TLSSocket, Peer>();

  constructor(serverName: string, identities: Pick<IdentityStore, "current" | "onChange">) {
    this.#serverName = serverName;
    this.#identities = identities;
    identities.onChange((identity) => {
      for (const [socket, peer] of this.#open) this.#judge(socket, peer, identity);
    });
  }

  /** Takes a new connection. The files may have changed during its handshake, so it is judged at once. */
  add(socket: TLSSocket, peer: Peer): void {
    this.#open.set(socket, peer);
    socket.once("close", () => this.#open.delete(socket));
    this.#judge(socket, peer, this.#identities.current);
  }

  #judge(socket: TLSSocket, peer: Peer, { authorities, revocation }: Identity): void {
    const rule = { authorities, revocation, usage: "serverAuth", serverName: this.#serverName } as const;
    const error = judgeAgain(peer, rule);
    if (error === undefined) return;
    getLogger("tunnel").error("server cut off", { reason: error.message, serial: peer.serial });
    socket.destroy(error);
  }
}
