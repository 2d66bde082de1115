/** The ports of a demo, all on 127.0.0.1. */
export interface DemoPorts {
  /** The agent's proxy. */
  readonly proxyPort: number;
  /** The server, for agents. */
  readonly serverPort: number;
  /** The agent's console. */
  readonly consolePort: number;
  /** The server's health page. */
  readonly healthPort: number;
  /** The sample origin. */
  readonly originPort: number;
}

/** One port of the demo as the command line knows it. */
export interface DemoPort {
  /** Its key in {@linkcode DemoPorts}, which is the flag in camel case. */
  readonly key: keyof DemoPorts;
  readonly flag: string;
  readonly meaning: string;
  readonly default: number;
}

/** Every port, its flag and its default. */
export const DEMO_PORTS: readonly DemoPort[] = [
  { key: "proxyPort", flag: "--proxy-port", meaning: "the agent's proxy", default: 8080 },
  { key: "serverPort", flag: "--server-port", meaning: "the server", default: 8443 },
  { key: "consolePort", flag: "--console-port", meaning: "the agent's console", default: 8081 },
  { key: "healthPort", flag: "--health-port", meaning: "the server's health page", default: 8082 },
  { key: "originPort", flag: "--origin-port", meaning: "the sample origin", default: 9080 },
];

/**
 * Finds out, before anything is started, whether every port can be had, and puts a free one in the place of
 * each 0. All are held until the last is tried, so that no two are the same.
 *
 * @throws {Error} Naming the port and its flag, when one is taken or may not be used.
 */
export function claimPorts(wanted: DemoPorts): DemoPorts {
  const held: Deno.TcpListener[] = [];
  try {
    const claimed = DEMO_PORTS.map(({ key, flag, meaning }) => {
      const listener = hold(wanted[key], flag, meaning);
      held.push(listener);
      return [key, listener.addr.port] as const;
    });
    return Object.fromEntries(claimed) as unknown as DemoPorts;
  } finally {
    for (const listener of held) listener.close();
  }
}

function hold(port: number, flag: string, meaning: string): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (cause) {
    const why = cause instanceof Deno.errors.AddrInUse ? "it is already in use" : String(cause);
    throw new Error(
      `Cannot start the demo: port ${port} for ${meaning} on 127.0.0.1 cannot be had: ${why}; ` +
        `choose another with ${flag} (0 picks a free one)`,
      { cause },
    );
  }
}
