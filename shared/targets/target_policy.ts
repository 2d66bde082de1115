/** Whether a target may be dialled. */
export interface Verdict {
  /** Whether it may. */
  readonly allowed: boolean;
  /**
   * What decided: `"deny 10.0.0.0/8"`, `"allow *.corp.example"`, `"default private"`, `"default public"`,
   * `"own port"`, `"own address"`. For the dialling program's own logs: the server's tells about its network and must not travel.
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
  /** Judges an address that passed `judge` and turned out to be the dialling machine's own. */
  judgeOwn(host: string, address: string, port: number): Verdict;
}
