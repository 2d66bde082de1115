import type { SeededRandom } from "./seeded_random.ts";
import type { Programs } from "./programs.ts";
import type { Relay } from "./relay.ts";

/** What faults act on. */
export interface FaultContext {
  readonly programs: Programs;
  readonly relay: Relay;
}

/** Something that happens to a run. */
export interface Fault {
  readonly name: string;
  /** Whether it ends streams: a program is gone. They survive everything that happens to the path. */
  readonly endsStreams: boolean;
  /** Breaks something, and repairs it before it returns. */
  act(context: FaultContext, random: SeededRandom): Promise<void>;
}

async function killServer({ programs }: FaultContext, random: SeededRandom): Promise<void> {
  await programs.kill("server");
  await pause(random.between(0, 2_000));
  await programs.launch("server");
}

async function restartAgent({ programs }: FaultContext): Promise<void> {
  await programs.stop("agent");
  await programs.launch("agent");
}

async function cutConnections({ relay }: FaultContext, random: SeededRandom): Promise<void> {
  for (let times = random.between(1, 3); times > 0; times--) {
    relay.cut();
    await pause(random.between(50, 500));
  }
}

/** Shorter than the 9 s keepalive, or longer, so that connections are given up; not as long as `resume_timeout`. */
async function silence({ relay }: FaultContext, random: SeededRandom): Promise<void> {
  relay.silence();
  await pause(
    random.pick([random.between(200, 4_000), random.between(200, 4_000), random.between(9_000, 12_000)]),
  );
  relay.restore();
}

/** All faults. */
export const FAULTS: readonly Fault[] = [
  { name: "server killed", endsStreams: true, act: killServer },
  { name: "agent restarted", endsStreams: true, act: restartAgent },
  { name: "connections cut", endsStreams: false, act: cutConnections },
  { name: "path silent", endsStreams: false, act: silence },
];

/** Waits for `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
