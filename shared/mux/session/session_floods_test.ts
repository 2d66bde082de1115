/** A peer that floods a session is slowed down, then its connection is closed (SPEC.md 3.5, 4.6). */
import assert from "node:assert/strict";
import { flood, type FloodMessage } from "../../../tests/support/mux/flood.ts";
import { assertEnds, OPENING, type RawPair, rawTest } from "../../../tests/support/mux/session_suite.ts";
import { within } from "../../../tests/support/within.ts";

const target = { host: "a", port: 1 };
/** Above the limits, with what is forgotten while the flood lasts. */
const IDLE_ROUNDS = 28_000;
const ABANDONED_ROUNDS = 3_200;

interface Flood {
  what: string;
  section: string;
  rounds: number;
  message: RegExp;
  round(index: number, pair: RawPair): readonly FloodMessage[];
  before?(pair: RawPair): Promise<unknown>;
}

const idle = { section: "3.5", rounds: IDLE_ROUNDS, message: /messages that change nothing/ };
const abandoned = { section: "4.6", rounds: ABANDONED_ROUNDS, message: /abandoned streams/ };

const FLOODS: Flood[] = [
  { ...idle, what: "pings", round: () => [["ping", { nonce: 1 }]] },
  { ...idle, what: "unexpected pongs", round: () => [["pong", { nonce: 1 }]] },
  { ...idle, what: "status messages", round: () => [["status", { agents: 1, streams: 1 }]] },
  { ...idle, what: "messages of unknown type", round: () => [["later", {}]] },
  { ...idle, what: "acks that acknowledge nothing", round: () => [["ack", { bytes: 0 }]] },
  { ...idle, what: "goaways", round: () => [["goaway", { code: "going_away", last_stream: 100 }]] },
  {
    ...idle,
    what: "tiny amounts of credit",
    before: (pair) => pair.accepted(),
    round: (index, { peerId }) => [["window", { stream: peerId(0), total: 100_001 + index }]],
  },
  {
    ...idle,
    what: "empty data messages",
    before: (pair) => pair.accepted(),
    round: (_, { peerId }) => [["connect_data", { stream: peerId(0) }]],
  },
  {
    ...idle,
    what: "resets of a closed stream",
    before: async (pair) => (await pair.accepted()).reset("cancelled", "enough"),
    round: (_, { peerId }) => [["reset", { stream: peerId(0), code: "cancelled" }]],
  },
  {
    ...idle,
    what: "credit for a closed stream",
    before: async (pair) => (await pair.accepted()).reset("cancelled", "enough"),
    round: (index, { peerId }) => [["window", { stream: peerId(0), total: 100_000 + 4_096 * index }]],
  },
  {
    ...idle,
    what: "ends of a closed stream",
    before: async (pair) => (await pair.accepted()).reset("cancelled", "enough"),
    round: (_, { peerId }) => [["connect_data", { stream: peerId(0), end: true }]],
  },
  {
    ...abandoned,
    what: "openings while the session drains",
    before: async (pair) => {
      await pair.accepted(); // it keeps the session from closing
      pair.end.session.drain();
      await pair.peer.next("goaway");
    },
    round: (index, { peerId }) => [["connect_request", { stream: peerId(index + 1), ...target }]],
  },
  {
    ...abandoned,
    what: "streams that are opened and reset",
    round: (index, { peerId }) => [
      ["connect_request", { stream: peerId(index), ...target }],
      ["reset", { stream: peerId(index), code: "cancelled" }],
    ],
  },
  {
    ...abandoned,
    what: "streams that are opened and reset for a violation",
    round: (index, { peerId }) => [
      ["connect_request", { stream: peerId(index), ...target }],
      ["connect_ack", { stream: peerId(index) }],
    ],
  },
  {
    ...abandoned,
    what: "streams that are opened and get a message of unknown type",
    round: (index, { peerId }) => [
      ["connect_request", { stream: peerId(index), ...target }],
      ["later", { stream: peerId(index) }],
    ],
  },
  {
    ...abandoned,
    what: "openings beyond max_streams",
    round: (index, { peerId }) => [["connect_request", { stream: peerId(index), ...target }]],
  },
];

/** Lets time pass whenever the session pauses reading, until it closes. */
async function untilClosed({ end, clock, slowed }: RawPair): Promise<void> {
  while (end.session.state !== "closed") {
    await within(5_000, Promise.race([slowed.pausing, end.closed]), "the session pauses or ends");
    clock.advance(50);
  }
}

for (const { what, section, rounds, message, round, before } of FLOODS) {
  rawTest(`slows down and then disconnects a peer that floods it with ${what} (SPEC ${section})`, {
    maxStreams: 100,
  }, async (pair) => {
    await before?.(pair);
    flood(pair.peer, rounds, (index) => round(index, pair));
    await untilClosed(pair);
    assert.ok(pair.slowed.pauses >= 1, "it was slowed down first");
    await assertEnds(pair, "limit_reached", message);
  });
}

rawTest(
  "slows down and then disconnects a peer that repeats messages without end (SPEC 3.5)",
  {},
  async (pair) => {
    const { peer, peerId } = pair;
    await pair.accepted();
    const again = peer.encode("connect_request", { stream: peerId(0), n: 0, ...target });
    const many = Array.from({ length: 1_000 }, () => again).flat();
    for (let sent = 0; sent < 65_000; sent += 1_000) peer.sendBytes(many);
    await peer.settled();
    assert.equal(pair.slowed.pauses, 0, "copies after the loss of a link are no flood");
    for (let sent = 0; sent < 75_000; sent += 1_000) peer.sendBytes(many);
    await untilClosed(pair);
    assert.ok(pair.slowed.pauses >= 1, "it was slowed down first");
    await assertEnds(pair, "limit_reached", /messages that already arrived/);
  },
);

rawTest("tolerates a browser that cancels 200 requests (SPEC 4.6)", {}, async (pair) => {
  const { peer, peerId, end, slowed } = pair;
  for (let time = 0; time < 5; time++) {
    flood(peer, 200, (index) => [["connect_request", { stream: peerId(time * 200 + index), ...target }]]);
    flood(peer, 200, (index) => [["reset", { stream: peerId(time * 200 + index), code: "cancelled" }]]);
  }
  await peer.settled();
  assert.deepEqual([end.session.state, slowed.pauses], ["open", 0]);
});

rawTest("lets a peer abandon all its streams at once (SPEC 4.6)", { maxStreams: 4_096 }, async (pair) => {
  const { peer, peerId, end, slowed } = pair;
  flood(peer, 4_096, (index) => [["connect_request", { stream: peerId(index), ...target }]]);
  await peer.settled(1);
  assert.equal(end.session.streamCount, 4_096);
  flood(peer, 4_096, (index) => [["reset", { stream: peerId(index), code: "cancelled" }]]);
  await peer.settled(2);
  assert.deepEqual([end.session.state, end.session.streamCount, slowed.pauses], ["open", 0, 0]);
});

rawTest(
  "does not count a stream that was answered before its reset (SPEC 4.6)",
  { maxStreams: 500 },
  async (pair) => {
    const { peer, peerId, end, slowed } = pair;
    for (let first = 0; first < 4_000; first += 500) {
      flood(peer, 500, (index) => [["connect_request", { stream: peerId(first + index), ...target }]]);
      for (let index = 0; index < 500; index++) {
        (await end.nextStream()).send({ type: "connect_ack", payload: {} });
      }
      await peer.settled(first);
      peer.send("ack", { bytes: peer.received });
      flood(peer, 500, (index) => [["reset", { stream: peerId(first + index), code: "cancelled" }]]);
    }
    await peer.settled();
    assert.deepEqual([end.session.state, slowed.pauses], ["open", 0]);
  },
);

rawTest("continues reading after it slowed a peer down (SPEC 3.5)", {}, async (pair) => {
  const { peer, clock, slowed, end } = pair;
  flood(peer, 10_200, () => [["later", {}]]);
  await within(5_000, slowed.pausing, "the session pauses");
  clock.advance(1_000);
  const own = end.session.open(OPENING);
  await peer.settled();
  assert.deepEqual([end.session.state, slowed.paused], ["open", false]);
  own.reset("cancelled", "enough");
});
