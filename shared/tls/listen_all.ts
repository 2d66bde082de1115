import type { LimitFigures } from "../limits/shared_limit.ts";
import { Handshakes } from "./handshakes.ts";
import type { Identity } from "./identity.ts";
import { type ListenOptions, listenTls, type TlsListener } from "./listen.ts";

/** Listeners that are one to those who use them. */
export interface TlsListeners extends Pick<TlsListener, "use" | "close"> {
  /** Where they listen, in the order of their ports. */
  readonly addresses: readonly TlsListener["address"][];
  /** Handshakes under way, over all ports. */
  handshakes(): LimitFigures;
}

/**
 * Listens on several ports as {@linkcode listenTls} does on one.
 *
 * @throws {SallyportError} When one of them cannot be had; those that were had before are freed again.
 */
export async function listenAll(
  ports: readonly number[],
  options: Omit<ListenOptions, "port" | "handshakes">,
): Promise<TlsListeners> {
  const listeners: TlsListener[] = [];
  const { handshakeTimeoutMs: timeoutMs, onRefused } = options;
  const handshakes = new Handshakes({ timeoutMs, onRefused });
  const close = async () => void await Promise.all(listeners.map((listener) => listener.close()));
  try {
    for (const port of ports) listeners.push(await listenTls({ ...options, handshakes, port }));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    addresses: listeners.map(({ address }) => address),
    handshakes: () => handshakes.figures(),
    use(identity: Identity) {
      for (const listener of listeners) listener.use(identity);
    },
    close,
  };
}
