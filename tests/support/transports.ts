import type { Transport } from "../../shared/mux/transport.ts";
import { MemoryTransport } from "./memory_transport.ts";

/** A way to connect two sessions. */
export interface TransportKind {
  name: string;
  /** Both ends of a new connection, the dialer's first. */
  pair(): Promise<[Transport, Transport]>;
}

/** Every kind of connection that a session has to work over. */
export const TRANSPORTS: readonly TransportKind[] = [
  { name: "memory", pair: () => Promise.resolve(MemoryTransport.pair()) },
];
