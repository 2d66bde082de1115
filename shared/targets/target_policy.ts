import type { Socket } from "node:net";

/** Whether a target may be dialled. */
export interface Verdict {
  /** Whether it may. */
  readonly allowed: boolean;
  /**
   * What decided: `"deny 10.0.0.0/8"`, `"allow *.corp.example"`, `"default private"`, `"default public"`,
   * `"own port"`. For the dialling program's own logs: the server's tells about its network and must not travel.
   */
  readonly rule: string;
  /** What the client may read, the kind of rule: the server's says nothing of addresses and ranges. */
  readonly text: string;
}

/** Says which targets may be dialled. */
export interface TargetPolicy {
  /** Judges what the client asked for before it is resolved: only a name that is forbidden is refused here. */
  judgeName(host: string, port: number): Verdict;
  /** Judges one address to which `host` leads; `host` may be that address itself. */
  judge(host: string, address: string, port: number): Verdict;
  /** Judges a connection: only where it led shows that some addresses are the dialling machine's own. */
  judgeConnection(socket: Pick<Socket, "localAddress" | "remoteAddress">, port: number): Verdict;
}
