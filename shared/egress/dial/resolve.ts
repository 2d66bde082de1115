import { lookup as systemLookup } from "node:dns/promises";
import type { Clock } from "../../clock.ts";
import { SallyportError } from "../../errors.ts";
import { withDeadline } from "../../net/deadline.ts";
import { normalHostName } from "../../net/host_name.ts";
import { fromOsError } from "../../net/os_error.ts";
import { quote } from "../../text/sanitize.ts";
import { createCoalescedLookup, type Lookup } from "./coalesced_lookup.ts";
import type { ConcurrencyLimit } from "./concurrency_limit.ts";

export type { Lookup };

/**
 * Finds all addresses of a name for `client`, IPv6 and IPv4, in the order of preference.
 *
 * @throws SallyportError `dns_error` when the name has none, `dns_timeout` when there was no answer in time,
 * `limit_reached` when too many lookups are running, `cancelled` when `signal` aborts.
 */
export type Resolve = (name: string, signal?: AbortSignal, client?: string) => Promise<string[]>;

/** Options of {@linkcode createResolver}. */
export interface ResolverOptions {
  /** Looks names up. @default the system: its hosts file, then its name servers */
  lookup?: Lookup;
  /** Limits the lookups that run, including those that timed out. @default {no limit} */
  concurrency?: ConcurrencyLimit | undefined;
  /** Milliseconds for an answer. @default 5000 */
  timeoutMs?: number;
  /** The source of time. @default the machine's clock */
  clock?: Clock;
}

/**
 * The system's own lookup honours the hosts file, returns both families, and reads unusual forms of IPv4 addresses
 * (`127.1`, `0x7f000001`) as sockets would, so that the policy sees the address that would be dialled.
 */
const askSystem: Lookup = (name) => systemLookup(name, { all: true, order: "verbatim" });
const defaultLookup: Lookup = createCoalescedLookup(askSystem);

/** Like the default lookup, for a program with a single client. */
export function soleClientLookup(): Lookup {
  return createCoalescedLookup(askSystem, { isShared: false });
}

/**
 * Makes a resolver with a deadline. A lookup that misses it runs on, because the system cannot cancel it.
 *
 * @example
 * ```ts
 * import {
 *   createResolver,
 *   type Lookup,
 *   type Resolve,
 *   type ResolverOptions,
 *   soleClientLookup,
 * } from "./resolve.ts";
 *
 * const lookup: Lookup = soleClientLookup();
 * const options: ResolverOptions = { lookup, timeoutMs: 2_000 };
 * const resolve: Resolve = createResolver(options);
 * console.log(await resolve("localhost")); // such as ["::1", "127.0.0.1"]
 * ```
 */
export function createResolver(options: ResolverOptions = {}): Resolve {
  const { lookup = defaultLookup, concurrency, timeoutMs = 5_000, clock } = options;
  return async (name, signal, client = "") => {
    const normal = normalHostName(name);
    const doing = `resolve ${normal ?? quote(name)}`;
    const failed = (why: string, cause?: unknown) =>
      new SallyportError("dns_error", `Cannot ${doing}: ${why}`, { cause });
    const late = () => new SallyportError("dns_timeout", `Cannot ${doing}: no answer within ${timeoutMs} ms`);
    const found = await withDeadline(
      { doing, timeoutMs, signal, late, ...clock && { clock } },
      async (ended) => {
        if (normal === undefined) throw failed("not a host name");
        try {
          return await counted(() => lookup(normal, ended, client), () => concurrency?.begin(doing, client));
        } catch (reason) {
          const error = fromOsError(reason, doing);
          throw PASSED_ON.has(error.code) ? error : failed("the resolver failed", reason);
        }
      },
    );
    if (found.length === 0) throw failed("no address found");
    return [...new Set(found.map(({ address }) => address))];
  };
}

/** Errors of a lookup that mean what they say; any other is the resolver's own failure. */
const PASSED_ON: ReadonlySet<string> = new Set(["dns_error", "dns_timeout", "limit_reached"]);

/** A lookup that counts until it is over, even after its request has given up. */
async function counted(
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
