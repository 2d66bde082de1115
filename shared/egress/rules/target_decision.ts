/** Whether a target may be dialled. */
export interface TargetDecision {
  /** Whether it may be dialled. */
  readonly allowed: boolean;
  /**
   * What decided: `"deny 10.0.0.0/8"`, `"allow *.corp.example"`, `"default private"`, `"default public"`,
   * `"own port"`, `"own address"`. For the log of the program that dials: the server's rule reveals its network and must not be sent.
   */
  readonly rule: string;
  /** What the client may read, the kind of rule: the server's reveals no addresses or ranges. */
  readonly text: string;
}

/** Decides which targets may be dialled. */
export interface TargetPolicy {
  /** Judges what the client asked for before it is resolved: only a denied name is refused here. */
  judgeName(host: string, port: number): TargetDecision;
  /** Judges one address of `host`; `host` may be that address itself. */
  judge(host: string, address: string, port: number): TargetDecision;
  /** Checks an address that passed `judge` and turned out to be the dialling machine's own. */
  judgeOwn(host: string, address: string, port: number): TargetDecision;
}
