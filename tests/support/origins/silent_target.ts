/** A port that never responds: connecting never completes. */
export interface SilentTarget extends Disposable {
  /** Its address, such as `127.0.0.1:4711`. */
  readonly host: string;
}

/**
 * Starts an unresponsive target: a listener that accepts nothing and whose backlog is full, so that Linux drops
 * further connections silently, as a firewall does.
 */
export async function startSilentTarget(): Promise<SilentTarget> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  // Linux accepts one more than the backlog says.
  const fillers = await Promise.all([1, 2].map(() => Deno.connect({ hostname: "127.0.0.1", port })));
  return {
    host: `127.0.0.1:${port}`,
    [Symbol.dispose]() {
      for (const filler of fillers) filler.close();
      listener.close();
    },
  };
}
