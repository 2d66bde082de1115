/** What lies between the two ends of a tunnel, for tests and benchmarks. */
export interface TestPath extends AsyncDisposable {
  /** Wraps the command of a program at the client's end: the agent, the load. */
  readonly near: readonly string[];
  /** The same for the far end: the server, the origin. */
  readonly far: readonly string[];
  /** Address at the far end that the far program of a tunnel listens on. */
  readonly farHost: string;

  /** Where the near program of a tunnel has to connect to, in order to reach that port of the far one. */
  reach(farPort: number): Promise<{ host: string; port: number }>;

  /** What has to be said about the figures of this path, once they are measured. */
  note(): Promise<string | undefined>;
}
