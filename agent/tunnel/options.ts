/** What can be set about the agent's tunnel. Times are milliseconds. */
export interface TunnelOptions {
  /** Connections to the server at the most. @default 4 */
  maxConnections: number;
  /** Streams on every connection from which another is dialled. @default 256 */
  streamsPerConnection: number;
  /** How long a stream may wait for a connection before it is refused. @default 10000 */
  waitTimeout: number;
  /** Time between dials while streams wait. @default 1000 */
  urgentRetry: number;
  /** How long a stream that was refused counts as one that waits: its client will come again. @default 10000 */
  missedFor: number;
}

/** The values used where nothing else is said. */
export const DEFAULT_TUNNEL_OPTIONS: Readonly<TunnelOptions> = {
  maxConnections: 4,
  streamsPerConnection: 256,
  waitTimeout: 10_000,
  urgentRetry: 1_000,
  missedFor: 10_000,
};
