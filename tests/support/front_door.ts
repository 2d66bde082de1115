import assert from "node:assert/strict";
import type { RefusedRequest } from "../../agent/front_door/context.ts";
import { type FrontDoor, type FrontDoorOptions, openFrontDoor } from "../../agent/front_door/front_door.ts";
import { systemClock } from "../../shared/system_clock.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import { FarStream } from "./far_stream.ts";
import { MemoryTransport } from "./memory_transport.ts";
import { RawClient } from "./raw_client.ts";
import { sessionPair } from "./session_pair.ts";

/** An open front door, its clients and the server's end of its streams. */
export interface FrontDoorBench {
  door: FrontDoor;
  /** Connects a client, which is closed at the end of the test. */
  client(): RawClient;
  /** The next stream that the front door opens. */
  nextStream(paused?: boolean): Promise<FarStream>;
  /** Streams that are open now. */
  streamCount(): number;
  /** What was refused. */
  refused: RefusedRequest[];
  /** Waits until no connection and no stream is left. */
  settled(): Promise<void>;
}

/** Options of the front door, and of the sessions behind it. */
export interface BenchOptions extends Partial<FrontDoorOptions> {
  session?: Partial<SessionOptions>;
}

const silent = { debug() {}, info() {}, warn() {} };

/** Runs `test` with a front door over a session in memory, and checks that nothing is left afterwards. */
export async function withFrontDoor(
  options: BenchOptions,
  test: (bench: FrontDoorBench) => Promise<void>,
): Promise<void> {
  const { session, ...given } = options;
  const { dialer, listener } = await sessionPair(MemoryTransport.pair(), {
    dialer: session ?? {},
    listener: session ?? {},
  });
  const clients: RawClient[] = [];
  const refused: RefusedRequest[] = [];
  const door = await openFrontDoor({
    host: "127.0.0.1",
    port: 0,
    clock: systemClock,
    log: silent,
    openStream: (opening, first) =>
      Promise.resolve().then(() => dialer.session.open(opening, first?.bytes, first)),
    onRefused: (request) => refused.push(request),
    ...given,
  });
  const left = () => door.connectionCount + dialer.session.streamCount + listener.session.streamCount;
  const settled = () => eventually(() => left() === 0, () => `${left()} connections and streams are left`);
  const client = () => {
    const made = new RawClient(door.address.port);
    clients.push(made);
    return made;
  };
  const nextStream = async (paused = false) => new FarStream(await listener.nextStream(), paused);
  try {
    await test({ door, client, nextStream, refused, settled, streamCount: () => dialer.session.streamCount });
    // A closed client looks like a half-closed one, and a tunnel would wait for the target.
    for (const each of clients) await each.close("reset");
    await settled();
  } finally {
    for (const each of clients) await each.close();
    await door.close();
    dialer.session.close("going_away", "the test is over");
    await Promise.all([dialer.closed, listener.closed]);
    // The transport in memory may have one more turn to go.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.equal(door.connectionCount, 0);
}

/** Waits for a state that no event tells of. */
async function eventually(condition: () => boolean, problem: () => string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Cannot wait any longer: ${problem()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
