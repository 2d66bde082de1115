import { connect as connectSocket, type Socket } from "node:net";
import type { Clock } from "../clock.ts";
import { systemClock } from "../system_clock.ts";
import { SallyportError } from "../errors.ts";
import { parseAddress } from "./address.ts";
import { readHost } from "./host.ts";
import { interleave } from "./interleave.ts";
import { OwnAddresses } from "./own_addresses.ts";
import { race } from "./race.ts";
import type { Resolve } from "./resolve.ts";
import { hostPort } from "../net/host_port.ts";
import type { TargetPolicy, Verdict } from "./target_policy.ts";
import type { UnderWay } from "./under_way.ts";

/**
 * Takes room for one more socket, and returns what gives it back once the socket is connected or failed. `isFurther`:
 * the same dial has another attempt open, so that this one can wait.
 *
 * @throws SallyportError `limit_reached` when there is no room.
 */
export type SocketRoom = (doing: string, isFurther: boolean) => () => void;

/**
 * Connects to a target; `client` is whom it is for, `room` is asked before each attempt. The socket is connected, sends without delay, and may be
 * half-open: whoever takes it ends its side too.
 *
 * @throws SallyportError `bad_request` for what is no host, `target_denied`, `dns_error`, `dns_timeout`,
 * `target_refused`, `target_unreachable`, `target_timeout`, `limit_reached` when too much is under way,
 * or `cancelled` when `signal` was aborted.
 */
export type Dial = (
  host: string,
  port: number,
  signal?: AbortSignal,
  client?: string,
  room?: SocketRoom,
) => Promise<Socket>;

/** What makes a dialer. */
export interface DialerOptions {
  /** Which targets may be dialled. */
  policy: TargetPolicy;
  /** Who finds addresses. */
  resolve: Resolve;
  /** Counts the connections under way, of which one dial may have several. @default {no limit} */
  underWay?: UnderWay | undefined;
  /** Milliseconds for a connection, over all addresses; the name's lookup has its own time. @default 10000 */
  connectTimeoutMs?: number;
  /** Milliseconds before the next address is tried too (RFC 8305 section 8). @default 250 */
  attemptDelayMs?: number;
  /** Where time comes from. @default the machine's clock */
  clock?: Clock;
  /** Begins a connection to an address. @default a TCP socket */
  connect?(address: string, port: number): Socket;
  /** Tells whether an address is this machine's own. @default {asks the kernel} */
  isOwn?(address: string): Promise<boolean>;
}

function connectTcp(address: string, port: number): Socket {
  return connectSocket({ host: address, port, noDelay: true, allowHalfOpen: true });
}

/** Addresses of one name that are tried: a name with hundreds of silent ones must not take hundreds of sockets. */
const MAX_ADDRESSES = 8;

/**
 * Makes a dialer. A name is resolved once, each of its addresses is judged, and only the judged addresses are
 * dialled, so that a name which changes its addresses meanwhile gains nothing.
 *
 * An address of this machine is judged as such before it is dialled, so that a refusal does not depend on what
 * listens there. A connection with the same address at both ends is judged as one too, before it carries a byte.
 */
export function createDialer(options: DialerOptions): Dial {
  const { policy, resolve, underWay, connectTimeoutMs = 10_000, attemptDelayMs = 250 } = options;
  const { clock = systemClock, connect = connectTcp } = options;
  const { isOwn = ownAddressesOf(clock) } = options;
  return async (host, port, signal, client = "", room) => {
    const doing = `connect to ${hostPort(host, port)}`;
    const { kind, text } = readHost(host) ?? notAHost(host);
    requireAllowed(policy.judgeName(text, port), doing);
    const found = kind === "name" ? await resolve(text, signal, client) : [text];
    const judged = allowedOf(found, (address) => policy.judge(text, address, port), doing);
    const own = new Set(await filterAsync(judged, isOwn));
    const judgeOwn = (address: string) => policy.judgeOwn(text, address, port);
    const addresses = allowedOf(judged, (address) => own.has(address) ? judgeOwn(address) : ELSEWHERE, doing);
    const begin = (isFurther: boolean) => {
      const done = underWay?.begin(doing, client);
      try {
        const giveBack = room?.(doing, isFurther);
        return () => {
          giveBack?.();
          done?.();
        };
      } catch (error) {
        done?.();
        throw error;
      }
    };
    const timing = { attemptDelayMs, timeoutMs: connectTimeoutMs, clock, signal };
    const socket = await race({ addresses, port, doing, connect, begin, ...timing });
    return staysHere(socket) ? keepIfAllowed(socket, judgeOwn(socket.remoteAddress!), doing) : socket;
  };
}

/** The addresses that may be dialled, in the order in which they are; throws when there is none. */
function allowedOf(found: readonly string[], judge: (address: string) => Verdict, doing: string): string[] {
  const verdicts = found.map(judge);
  const addresses = interleave(found.filter((_, i) => verdicts[i]!.allowed));
  if (addresses.length === 0) requireAllowed(verdicts[0]!, doing, found[0]);
  return addresses.slice(0, MAX_ADDRESSES);
}

/** The verdict for an address that is not this machine's. */
const ELSEWHERE: Verdict = { allowed: true, rule: "default", text: "allowed" };

function ownAddressesOf(clock: Clock): (address: string) => Promise<boolean> {
  const addresses = new OwnAddresses({ clock });
  return (address) => addresses.has(address);
}

async function filterAsync<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<T[]> {
  const passed = await Promise.all(items.map(test));
  return items.filter((_, i) => passed[i]);
}

/** Whether a connection never left this machine: it has the same address at both ends. */
function staysHere({ localAddress, remoteAddress }: Socket): boolean {
  if (localAddress === undefined || remoteAddress === undefined) return false;
  return parseAddress(localAddress).toString() === parseAddress(remoteAddress).toString();
}

function keepIfAllowed(socket: Socket, verdict: Verdict, doing: string): Socket {
  if (verdict.allowed) return socket;
  const address = socket.remoteAddress;
  socket.destroy();
  throw denied(verdict, doing, address);
}

function requireAllowed(verdict: Verdict, doing: string, address?: string): void {
  if (!verdict.allowed) throw denied(verdict, doing, address);
}

/** The rule and the address are the cause: they reach the dialling program's log and never the client. */
function denied({ rule, text }: Verdict, doing: string, address: string | undefined): SallyportError {
  const cause = address === undefined ? rule : `${rule}: ${address}`;
  return new SallyportError("target_denied", `Cannot ${doing}: ${text}`, { cause });
}

function notAHost(host: string): never {
  const shown = JSON.stringify(host.slice(0, 80));
  throw new SallyportError("bad_request", `Cannot connect to ${shown}: it is neither a name nor an address`);
}
