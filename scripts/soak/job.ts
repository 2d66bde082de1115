import type { Dice } from "./dice.ts";
import type { Targets } from "./origins.ts";

/** Where the traffic goes. */
export interface World extends Targets {
  readonly proxyPort: number;
}

/** The bytes were not those that were sent, though everybody said that all went well. */
export class WrongBytes extends Error {}

/** One kind of traffic; returns the bytes that it checked, throws when it failed. `signal` gives it up. */
export type Job = (world: World, dice: Dice, signal: AbortSignal) => Promise<number>;

/** Fails unless `got` is `wanted`: hashes, or how something ended. */
export function requireSame(got: string, wanted: string, what: string): void {
  if (got !== wanted) throw new WrongBytes(`${what}: ${got.slice(0, 80)} instead of ${wanted.slice(0, 80)}`);
}
