import assert from "node:assert/strict";
import type { RefusedRequest } from "../../../agent/front_door/client/context.ts";
import {
  type FrontDoor,
  type FrontDoorOptions,
  openFrontDoor,
} from "../../../agent/front_door/front_door.ts";
import { systemClock } from "../../../shared/system_clock.ts";
import type { SessionOptions } from "../../../shared/mux/options.ts";
import { FarStream } from "../mux/far_stream.ts";
import { MemoryTransport } from "../mux/memory_transport.ts";
import { RawClient } from "./raw_client.ts";
import { sessionPair } from "../mux/session_pair.ts";

/** An open front door, its clients and the server side of its streams. */
export interface FrontDoorFixture {
  frontDoor: FrontDoor;
  /** Connects a client, which is closed at the end of the test. */
  client(): RawClient;
  /** Waits for the next stream that the front door opens. */
  nextStream(paused?: boolean): Promise<FarStream>;
  /** Open streams. */
  streamCount(): number;
  /** Refused requests. */
  refused: RefusedRequest[];
  /** Waits until no connection and no stream is left. */
  settled(): Promise<void>;
}

/** Options of the front door and of the session behind it. */
export interface FixtureOptions extends Partial<FrontDoorOptions> {
  session?: Partial<SessionOptions>;
}

const silent = { debug() {}, info() {}, warn() {} };

/** Runs `test` with a front door over an in-memory session and checks that nothing is left afterwards. */
export async function withFrontDoor(
  options: FixtureOptions,
  test: (fixture: FrontDoorFixture) => Promise<void>,
): Promise<void> {
  const { session, ...given } = options;
  const { dialer, listener } = await sessionPair(MemoryTransport.pair(), {
    dialer: session ?? {},
    listener: session ?? {},
  });
  const clients: RawClient[] = [];
  const refused: RefusedRequest[] = [];
  const frontDoor = await openFrontDoor({
    host: "127.0.0.1",
    port: 0,
    clock: systemClock,
    log: silent,
    openStream: (opening, first) =>
      Promise.resolve().then(() => dialer.session.open(opening, first?.bytes, first)),
    onRefused: (request) => refused.push(request),
    ...given,
  });
  const left = () => frontDoor.connectionCount + dialer.session.streamCount + listener.session.streamCount;
  const settled = () => eventually(() => left() === 0, () => `${left()} connections and streams are left`);
  const client = () => {
    const made = new RawClient(frontDoor.address.port);
    clients.push(made);
    return made;
  };
  const nextStream = async (paused = false) => new FarStream(await listener.nextStream(), paused);
  try {
    await test({
      frontDoor,
      client,
      nextStream,
      refused,
      settled,
      streamCount: () => dialer.session.streamCount,
    });
    // Closing a client normally looks like a half-close, and its stream would wait for the target.
    for (const each of clients) await each.close("reset");
    await settled();
  } finally {
    for (const each of clients) await each.close();
    await frontDoor.close();
    dialer.session.close("going_away", "the test is over");
    await Promise.all([dialer.closed, listener.closed]);
    // The in-memory transport may need one more turn of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.equal(frontDoor.connectionCount, 0);
}

/** Ends a tunnel from both sides, and checks that each gets the other's end. */
export async function assertEndsInOrder(near: RawClient, far: FarStream): Promise<void> {
  near.end();
  await far.end();
  far.stream.end();
  assert.equal(await near.rest(), "");
  assert.equal(near.outcome, "end");
  assert.equal(await far.over(), undefined);
}

/** Waits for a state that no event reports. */
async function eventually(condition: () => boolean, problem: () => string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Cannot wait any longer: ${problem()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
