import { quote } from "../../text/sanitize.ts";
import { connect as connectSocket, type Socket } from "node:net";
import type { Clock } from "../../clock.ts";
import { systemClock } from "../../system_clock.ts";
import { SallyportError } from "../../errors.ts";
import { parseAddress } from "../rules/address.ts";
import { readHost } from "../rules/host.ts";
import { OwnAddresses } from "./own_addresses.ts";
import { happyEyeballs, interleave } from "./happy_eyeballs.ts";
import type { Resolve } from "./resolve.ts";
import { hostPort } from "../../net/host_port.ts";
import type { TargetDecision, TargetPolicy } from "../rules/target_decision.ts";
import type { ConcurrencyLimit } from "./concurrency_limit.ts";

/**
 * Reserves one more socket, and returns what releases it once the socket is connected or has failed. `isFurther`: the
 * same dial has another attempt open, so that this one can wait.
 *
 * @throws SallyportError `limit_reached` when no socket is free.
 */
export type ReserveSocket = (doing: string, isFurther: boolean) => () => void;

/**
 * Connects to a target for `client`; `reserve` is called before each attempt. The socket is connected, sends without
 * delay (`TCP_NODELAY`), and may be half-open: the caller ends its side too.
 *
 * @throws SallyportError `bad_request` for an invalid host, `target_denied`, `dns_error`, `dns_timeout`,
 * `target_refused`, `target_unreachable`, `target_timeout`, `limit_reached` when too many lookups or connections are
 * in progress, or `cancelled` when `signal` aborts.
 */
export type Dial = (
  host: string,
  port: number,
  signal?: AbortSignal,
  client?: string,
  reserve?: ReserveSocket,
) => Promise<Socket>;

/** Options of {@linkcode createDialer}. */
export interface DialerOptions {
  /** Which targets may be dialled. */
  policy: TargetPolicy;
  /** Finds the addresses of a name. */
  resolve: Resolve;
  /** Limits the connection attempts in progress, of which one dial may have several. @default {no limit} */
  concurrency?: ConcurrencyLimit | undefined;
  /** Milliseconds for a connection, over all addresses; the lookup has its own deadline. @default 10000 */
  connectTimeoutMs?: number;
  /** Milliseconds until the next address is tried in parallel (RFC 8305 section 8). @default 250 */
  attemptDelayMs?: number;
  /** The source of time. @default the machine's clock */
  clock?: Clock;
  /** Begins a connection to an address. @default a TCP socket */
  connect?(address: string, port: number): Socket;
  /** Whether an address is this machine's own. @default {asks the kernel} */
  isOwn?(address: string): Promise<boolean>;
}

function connectTcp(address: string, port: number): Socket {
  return connectSocket({ host: address, port, noDelay: true, allowHalfOpen: true });
}

/** Addresses of one name that are tried: a name with hundreds of unresponsive ones must not use hundreds of sockets. */
const MAX_ADDRESSES = 8;

/**
 * Makes a dialer. A name is resolved once, the policy judges each of its addresses, and only those that it allows are
 * dialled, so that DNS rebinding gains nothing.
 *
 * An address of this machine is checked as such before it is dialled, so that a refusal does not depend on what
 * listens there. A connection with the same address at both ends is checked the same way, before it carries a byte.
 *
 * @example
 * ```ts
 * import type { TargetPolicy } from "../rules/target_decision.ts";
 * import { createDialer, type Dial, type DialerOptions, type ReserveSocket } from "./dial.ts";
 * import { createResolver } from "./resolve.ts";
 *
 * const allowed = { allowed: true, rule: "default", text: "allowed" };
 * const denied = { allowed: false, rule: "own address", text: "the address is not allowed" };
 * const policy: TargetPolicy = { judgeName: () => allowed, judge: () => allowed, judgeOwn: () => denied };
 * const options: DialerOptions = { policy, resolve: createResolver(), connectTimeoutMs: 5_000 };
 * const dial: Dial = createDialer(options);
 *
 * const reserve: ReserveSocket = (doing) => {
 *   console.log(`about to ${doing}`);
 *   return () => {};
 * };
 * const socket = await dial("example.org", 443, AbortSignal.timeout(30_000), "laptop", reserve);
 * socket.destroy();
 * ```
 */
export function createDialer(options: DialerOptions): Dial {
  const { policy, resolve, concurrency, connectTimeoutMs = 10_000, attemptDelayMs = 250 } = options;
  const { clock = systemClock, connect = connectTcp } = options;
  const { isOwn = ownAddressesOf(clock) } = options;
  return async (host, port, signal, client = "", reserve) => {
    const doing = `connect to ${hostPort(host, port)}`;
    const { kind, text } = readHost(host) ?? notAHost(host);
    requireAllowed(policy.judgeName(text, port), doing);
    const found = kind === "name" ? await resolve(text, signal, client) : [text];
    const judged = allowedOf(found, (address) => policy.judge(text, address, port), doing);
    const own = await ownOf(judged, isOwn, () => concurrency?.begin(doing, client));
    const judgeOwn = (address: string) => policy.judgeOwn(text, address, port);
    const addresses = allowedOf(judged, (address) => own.has(address) ? judgeOwn(address) : ELSEWHERE, doing);
    const begin = (isFurther: boolean) => {
      const done = concurrency?.begin(doing, client);
      try {
        const release = reserve?.(doing, isFurther);
        return () => {
          release?.();
          done?.();
        };
      } catch (error) {
        done?.();
        throw error;
      }
    };
    const timing = { attemptDelayMs, timeoutMs: connectTimeoutMs, clock, signal };
    const socket = await happyEyeballs({ addresses, port, doing, connect, begin, ...timing });
    return staysHere(socket) ? keepIfAllowed(socket, judgeOwn(socket.remoteAddress!), doing) : socket;
  };
}

/** The addresses that may be dialled, in dialling order; throws when there is none. */
function allowedOf(
  found: readonly string[],
  judge: (address: string) => TargetDecision,
  doing: string,
): string[] {
  const decisions = found.map(judge);
  const addresses = interleave(found.filter((_, i) => decisions[i]!.allowed));
  if (addresses.length === 0) requireAllowed(decisions[0]!, doing, found[0]);
  return addresses.slice(0, MAX_ADDRESSES);
}

/** The decision for an address that is not this machine's. */
const ELSEWHERE: TargetDecision = { allowed: true, rule: "default", text: "allowed" };

function ownAddressesOf(clock: Clock): (address: string) => Promise<boolean> {
  const addresses = new OwnAddresses({ clock });
  return (address) => addresses.has(address);
}

/**
 * The addresses that are this machine's own. To find out takes a socket, as a connection does, and counts as one: the
 * addresses are probed one after the other.
 */
async function ownOf(
  addresses: readonly string[],
  isOwn: (address: string) => Promise<boolean>,
  begin: () => (() => void) | undefined,
): Promise<ReadonlySet<string>> {
  const own = new Set<string>();
  const done = begin();
  try {
    for (const address of addresses) if (await isOwn(address)) own.add(address);
  } finally {
    done?.();
  }
  return own;
}

/** Whether a connection never left this machine: it has the same address at both ends. */
function staysHere({ localAddress, remoteAddress }: Socket): boolean {
  if (localAddress === undefined || remoteAddress === undefined) return false;
  return parseAddress(localAddress).toString() === parseAddress(remoteAddress).toString();
}

function keepIfAllowed(socket: Socket, decision: TargetDecision, doing: string): Socket {
  if (decision.allowed) return socket;
  const address = socket.remoteAddress;
  socket.destroy();
  throw denied(decision, doing, address);
}

function requireAllowed(decision: TargetDecision, doing: string, address?: string): void {
  if (!decision.allowed) throw denied(decision, doing, address);
}

/** The rule and the address are the cause: they go to the dialling program's log and never to the client. */
function denied({ rule, text }: TargetDecision, doing: string, address: string | undefined): SallyportError {
  const cause = address === undefined ? rule : `${rule}: ${address}`;
  return new SallyportError("target_denied", `Cannot ${doing}: ${text}`, { cause });
}

function notAHost(host: string): never {
  throw new SallyportError(
    "bad_request",
    `Cannot connect to ${quote(host)}: not a host name or IP address`,
  );
}
