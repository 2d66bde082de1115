import { lookup as systemLookup } from "node:dns/promises";
import type { CancelTimer, Clock } from "../clock.ts";
import { systemClock } from "../system_clock.ts";
import { SallyportError } from "../errors.ts";
import { fromOsError } from "../net/os_error.ts";
import { fewAtATime } from "./few_at_a_time.ts";
import { normalName } from "./name.ts";
import type { UnderWay } from "./under_way.ts";

/**
 * Finds every address of a name, IPv6 and IPv4, in the order of preference. `client` is whom it is for.
 *
 * @throws SallyportError `dns_error` when the name has none, `dns_timeout` when there was no answer in time,
 * `limit_reached` when too many look-ups are under way, `cancelled` when `signal` was aborted.
 */
export type Resolve = (name: string, signal?: AbortSignal, client?: string) => Promise<string[]>;

/**
 * Asks whoever knows names on this machine; `gone` aborts when nobody waits for the answer any more, `client` is whom
 * it is for.
 */
export type Lookup = (name: string, gone?: AbortSignal, client?: string) => Promise<{ address: string }[]>;

/** What makes a resolver. */
export interface ResolverOptions {
  /** Who is asked. @default the system: its hosts file, then its name servers */
  lookup?: Lookup;
  /** Counts the look-ups, those that came too late until they are over. @default {no limit} */
  underWay?: UnderWay | undefined;
  /** Milliseconds for an answer. @default 5000 */
  timeoutMs?: number;
  /** Where time comes from. @default the machine's clock */
  clock?: Clock;
}

/**
 * The system's own lookup honours the hosts file, gives both families, and reads odd forms of IPv4 addresses
 * (`127.1`, `0x7f000001`) as sockets would: they are judged by what they mean.
 */
const askSystem: Lookup = (name) => systemLookup(name, { all: true, order: "verbatim" });
const defaultLookup: Lookup = fewAtATime(askSystem);

/** Asks the system as the default does, for a program that has one client only. */
export function soleClientLookup(): Lookup {
  return fewAtATime(askSystem, { isShared: false });
}

/** Makes a resolver with a deadline. A lookup that came too late is left alone: it cannot be called back. */
export function createResolver(options: ResolverOptions = {}): Resolve {
  const { lookup = defaultLookup, underWay, timeoutMs = 5_000, clock = systemClock } = options;
  return (name, signal, client = "") => {
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    if (signal?.aborted) return Promise.reject(cancelled(name));
    const normal = normalName(name);
    if (normal === undefined) return Promise.reject(failed(name, "it is not a host name"));
    const gone = new AbortController();
    const asking = ask(
      () => lookup(normal, gone.signal, client),
      () => underWay?.begin(`resolve ${normal}`, client),
    );
    const onAbort = () => reject(cancelled(name));
    signal?.addEventListener("abort", onAbort);
    const cancelTimer: CancelTimer = clock.after(timeoutMs, () => reject(late(name, timeoutMs)));
    asking.then((found) => resolve(unique(name, found)))
      .catch((reason: unknown) => reject(translate(name, reason)));
    return promise.finally(() => {
      cancelTimer();
      gone.abort();
      signal?.removeEventListener("abort", onAbort);
    });
  };
}

/** One look-up, which counts until it is over, however long ago its asker gave it up. */
async function ask(
  lookup: () => ReturnType<Lookup>,
  begin: () => (() => void) | undefined,
): ReturnType<Lookup> {
  const done = begin();
  try {
    return await lookup();
  } finally {
    done?.();
  }
}

function unique(name: string, found: { address: string }[]): string[] {
  if (found.length === 0) throw failed(name, "it has no address");
  return [...new Set(found.map(({ address }) => address))];
}

const PASSED_ON: ReadonlySet<string> = new Set(["dns_error", "dns_timeout", "limit_reached"]);

function translate(name: string, reason: unknown): SallyportError {
  const error = fromOsError(reason, `resolve ${shown(name)}`);
  if (PASSED_ON.has(error.code)) return error;
  return failed(name, "the resolver failed", reason);
}

function failed(name: string, why: string, cause?: unknown): SallyportError {
  return new SallyportError("dns_error", `Cannot resolve ${shown(name)}: ${why}`, { cause });
}

function late(name: string, timeoutMs: number): SallyportError {
  return new SallyportError("dns_timeout", `Cannot resolve ${shown(name)}: no answer within ${timeoutMs} ms`);
}

function cancelled(name: string): SallyportError {
  return new SallyportError("cancelled", `Cannot resolve ${shown(name)}: nobody wants it any more`);
}

/** A name as messages show it: it may be anything that a client made up. */
function shown(name: string): string {
  return normalName(name) ?? JSON.stringify(name.slice(0, 80));
}
