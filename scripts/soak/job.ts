import type { SeededRandom } from "./seeded_random.ts";
import type { Targets } from "./origins.ts";

/** The proxy and the targets of the traffic. */
export interface JobContext extends Targets {
  readonly proxyPort: number;
}

/** A transfer ended well with bytes that were not those sent. */
export class WrongBytesError extends Error {}

/** The proxy refused a request before it had a stream, as it may while the path is broken. */
export class RefusedError extends Error {}

/** One kind of traffic: returns how many bytes it checked, throws when it failed. `signal` aborts it. */
export type Job = (context: JobContext, random: SeededRandom, signal: AbortSignal) => Promise<number>;

/** Fails unless two values are the same: hashes, or how something ended. */
export function requireSame(actual: string, expected: string, what: string): void {
  if (actual !== expected) {
    throw new WrongBytesError(`${what}: ${actual.slice(0, 80)} instead of ${expected.slice(0, 80)}`);
  }
}
