/** The ports of a demo, all on 127.0.0.1. */
export interface DemoPorts {
  /** The agent's proxy. */
  readonly proxyPort: number;
  /** The server's port for agents. */
  readonly serverPort: number;
  /** The agent's console. */
  readonly consolePort: number;
  /** The server's health page. */
  readonly healthPort: number;
  /** The sample origin. */
  readonly originPort: number;
}

/** One port of the demo and its command-line flag. */
export interface DemoPort {
  /** Key in {@linkcode DemoPorts}: the flag in camel case. */
  readonly key: keyof DemoPorts;
  readonly flag: string;
  readonly meaning: string;
  readonly default: number;
}

/** All ports, with flags and defaults. */
export const DEMO_PORTS: readonly DemoPort[] = [
  { key: "proxyPort", flag: "--proxy-port", meaning: "the agent's proxy", default: 8080 },
  { key: "serverPort", flag: "--server-port", meaning: "the server", default: 8443 },
  { key: "consolePort", flag: "--console-port", meaning: "the agent's console", default: 8081 },
  { key: "healthPort", flag: "--health-port", meaning: "the server's health page", default: 8082 },
  { key: "originPort", flag: "--origin-port", meaning: "the sample origin", default: 9080 },
];

/**
 * Checks, before anything is started, that every port is free, and replaces each 0 by a free one. All are held until
 * the last is checked, so that no two are the same.
 *
 * @throws {Error} Naming the port and its flag, when one is in use or not allowed.
 */
export function claimPorts(wanted: DemoPorts): DemoPorts {
  const held: Deno.TcpListener[] = [];
  try {
    const claimed = DEMO_PORTS.map(({ key, flag, meaning }) => {
      const listener = listenOn(wanted[key], flag, meaning);
      held.push(listener);
      return [key, listener.addr.port] as const;
    });
    return Object.fromEntries(claimed) as unknown as DemoPorts;
  } finally {
    for (const listener of held) listener.close();
  }
}

function listenOn(port: number, flag: string, meaning: string): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    const reason = error instanceof Deno.errors.AddrInUse ? "is already in use" : `does not open (${error})`;
    throw new Error(
      `Cannot start the demo: port ${port} for ${meaning} on 127.0.0.1 ${reason}; ` +
        `choose another with ${flag} (0 picks a free one)`,
    );
  }
}
