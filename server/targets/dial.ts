import { connect as connectSocket, isIP, type Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import { systemClock } from "../../shared/system_clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import { interleave } from "./interleave.ts";
import type { TargetPolicy, Verdict } from "./policy.ts";
import { race } from "./race.ts";
import type { Resolve } from "./resolve.ts";
import { shownTarget } from "./shown_target.ts";

/**
 * Connects to a target. The socket is connected, sends without delay, and may be half-open: whoever takes it
 * ends its side too.
 *
 * @throws SallyportError `target_denied`, `dns_error`, `dns_timeout`, `target_refused`, `target_unreachable`,
 * `target_timeout`, or `cancelled` when `signal` was aborted.
 */
export type Dial = (host: string, port: number, signal?: AbortSignal) => Promise<Socket>;

/** What makes a dialer. */
export interface DialerOptions {
  /** Which targets may be dialled. */
  policy: TargetPolicy;
  /** Who finds addresses. */
  resolve: Resolve;
  /** Milliseconds for a connection, over all addresses; the name's lookup has its own time. @default 10000 */
  connectTimeoutMs?: number;
  /** Milliseconds before the next address is tried too (RFC 8305 section 8). @default 250 */
  attemptDelayMs?: number;
  /** Where time comes from. @default the machine's clock */
  clock?: Clock;
  /** Begins a connection to an address. @default a TCP socket */
  connect?(address: string, port: number): Socket;
}

function connectTcp(address: string, port: number): Socket {
  return connectSocket({ host: address, port, noDelay: true, allowHalfOpen: true });
}

/**
 * Makes a dialer. A name is resolved once, each of its addresses is judged, and only the judged addresses are
 * dialled, so that a name which changes its addresses meanwhile gains nothing.
 */
export function createDialer(options: DialerOptions): Dial {
  const { policy, resolve, connectTimeoutMs = 10_000, attemptDelayMs = 250 } = options;
  const { clock = systemClock, connect = connectTcp } = options;
  return async (host, port, signal) => {
    const doing = `connect to ${shownTarget(host, port)}`;
    requireAllowed(policy.judgeName(host, port), doing);
    const found = isIP(host) === 0 ? await resolve(host, signal) : [host];
    const verdicts = found.map((address) => policy.judge(host, address, port));
    const addresses = interleave(found.filter((_, i) => verdicts[i]!.allowed));
    if (addresses.length === 0) requireAllowed(verdicts[0]!, doing);
    const timing = { attemptDelayMs, timeoutMs: connectTimeoutMs, clock, signal };
    return await race({ addresses, port, doing, connect, ...timing });
  };
}

function requireAllowed(verdict: Verdict, doing: string): void {
  if (verdict.allowed) return;
  // The rule is the cause: it reaches the server's log and never the client.
  throw new SallyportError("target_denied", `Cannot ${doing}: ${verdict.text}`, { cause: verdict.rule });
}
