import type { Dice } from "./dice.ts";
import type { Programs } from "./programs.ts";
import type { Relay } from "./relay.ts";

/** What faults are done to. */
export interface Victims {
  readonly programs: Programs;
  readonly relay: Relay;
}

/** Breaks something, and mends it before it returns. */
export type Fault = (victims: Victims, dice: Dice) => Promise<void>;

async function killServer({ programs }: Victims, dice: Dice): Promise<void> {
  await programs.kill("server");
  await pause(dice.between(0, 2_000));
  await programs.launch("server");
}

async function restartAgent({ programs }: Victims): Promise<void> {
  await programs.stop("agent");
  await programs.launch("agent");
}

async function cutConnections({ relay }: Victims, dice: Dice): Promise<void> {
  for (let times = dice.between(1, 3); times > 0; times--) {
    relay.cut();
    await pause(dice.between(50, 500));
  }
}

/** Shorter than the 9 s of a dead path, so that all has to go on, or longer, so that all has to end. */
async function silence({ relay }: Victims, dice: Dice): Promise<void> {
  relay.fallSilent();
  await pause(dice.pick([dice.between(200, 4_000), dice.between(200, 4_000), dice.between(9_000, 12_000)]));
  relay.speak();
}

/** All faults, by name. */
export const FAULTS: readonly (readonly [name: string, fault: Fault])[] = [
  ["server killed", killServer],
  ["agent restarted", restartAgent],
  ["connections cut", cutConnections],
  ["path silent", silence],
];

/** Waits; a soak has nothing else to wait for than time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
