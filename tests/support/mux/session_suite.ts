import assert from "node:assert/strict";
import type { Role } from "../../../shared/mux/stream/stream_ids.ts";
import type { EndOptions } from "../../../shared/mux/stream/stream.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { Transport } from "../../../shared/mux/transport.ts";
import type { OpeningMessage } from "../../../shared/protocol/messages.ts";
import { countOf } from "../../../shared/text/count_of.ts";
import { CountingTransport } from "./counting_transport.ts";
import { ManualClock } from "../manual_clock.ts";
import { RawPeer } from "./raw_peer.ts";
import { type PairOptions, type SessionEnd, sessionEnd, sessionPair } from "./session_pair.ts";
import { type TransportKind, TRANSPORTS, withConnections } from "./transports.ts";
import { within } from "../within.ts";

/** Any opening message. */
export const OPENING: OpeningMessage = {
  type: "connect_request",
  payload: { host: "example.org", port: 443 },
};

/** Numbers of links over which sessions are tested: one, the least with a link without bulk, and the most (SPEC.md 3.9). */
const LINKS = [1, 2, 8] as const;

/** `links` of a test that asserts something about one connection, such as the order of what goes by it. */
export const ONE_LINK = [1] as const;

/** Two sessions with one link or several. */
export interface Pair {
  /** The end that opens streams in this test: the dialer or the listener. */
  opener: SessionEnd;
  /** The other end. */
  accepter: SessionEnd;
  /** Opens a stream; `near` is the opener's end, `far` the other. */
  open(
    bytes?: Uint8Array,
    options?: EndOptions,
    opening?: OpeningMessage,
  ): Promise<{ near: MuxStream; far: MuxStream }>;
  /** Cuts the opener's end of every link. */
  abort(): void;
  /** Calls back after each write of the opener, by whichever link. */
  afterWrites(callback: () => void): void;
}

/** Options of the two ends. */
export interface SuiteOptions extends Pick<PairOptions, "clock" | "budget"> {
  opener?: PairOptions["dialer"];
  accepter?: PairOptions["dialer"];
  /** With how many links the test runs. @default {[1, 2, 8]} */
  links?: readonly number[];
}

/**
 * Tests a pair of sessions over every transport, each with one link and with several, with streams that the dialer opens
 * and streams that the listener opens; `OPENING` is answered automatically. Afterwards no stream may be left; sessions
 * that are still open are drained.
 */
export function sessionTest(name: string, options: SuiteOptions, body: (pair: Pair) => Promise<void>): void {
  const { links = LINKS } = options;
  for (const kind of TRANSPORTS) {
    for (const count of links) {
      for (const role of ["dialer", "listener"] as const) {
        const how = `${kind.name}, ${countOf(count, "link")}, ${role} opens`;
        Deno.test(`session ${name} (${how})`, () => testPair(kind, count, role, options, body));
      }
    }
  }
}

async function testPair(
  kind: TransportKind,
  count: number,
  role: Role,
  { opener: own = {}, accepter: other = {}, ...rest }: SuiteOptions,
  body: (pair: Pair) => Promise<void>,
): Promise<void> {
  await withConnections(kind, count, async (connections) => {
    let afterWrite = () => {};
    for (const connection of connections) {
      const end = role === "dialer" ? 0 : 1;
      connection[end] = watchWrites(connection[end], () => afterWrite());
    }
    const [first, ...further] = connections;
    const given = role === "dialer" ? { dialer: own, listener: other } : { dialer: other, listener: own };
    const ends = await sessionPair(first!, { ...given, ...rest, answers: true }, further);
    const opener = ends[role];
    const accepter = ends[opposite(role)];
    await body({
      opener,
      accepter,
      async open(bytes, end, opening = OPENING) {
        const near = opener.session.open(opening, bytes, end);
        return { near, far: await accepter.nextStream() };
      },
      abort() {
        for (const [near, far] of connections) (role === "dialer" ? near : far).abort();
      },
      afterWrites: (callback) => afterWrite = callback,
    });
    await finish(opener, accepter);
  });
}

/** The same connection, which calls back after each write. */
function watchWrites(transport: Transport, afterWrite: () => void): Transport {
  return {
    start: (events) => transport.start(events),
    write(bytes, written) {
      transport.write(bytes, written);
      afterWrite();
    },
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    close: () => transport.close(),
    abort: () => transport.abort(),
  };
}

/** A session, and a peer that may break the protocol. */
export interface RawPair {
  end: SessionEnd;
  peer: RawPeer;
  clock: ManualClock;
  /** The pauses by which the session slows the peer down. */
  slowed: Pick<CountingTransport, "pauses" | "paused" | "pausing">;
  /** Resolves once the session has processed this many bytes in total. */
  received(bytes: number): Promise<void>;
  /** The peer's stream ids, by index from 0. */
  peerId(index: number): number;
  /** The session's own stream ids, by index from 0. */
  ownId(index: number): number;
  /** Opens the first stream of the peer; resolves once the session has it. */
  accepted(body?: Iterable<number>, more?: object): Promise<MuxStream>;
}

/**
 * Tests one session with one link, as dialer and as listener, against a raw peer over every transport, on a manual
 * clock: such tests assert every frame of a connection.
 */
export function rawTest(name: string, options: RawOptions, body: (pair: RawPair) => Promise<void>): void {
  for (const kind of TRANSPORTS) {
    for (const role of ["dialer", "listener"] as const) {
      Deno.test(`session ${name} (${kind.name}, as ${role})`, () => testRaw(kind, role, options, body));
    }
  }
}

type RawOptions = PairOptions["dialer"] & { greet?: boolean };

async function testRaw(
  kind: TransportKind,
  role: Role,
  { greet = true, ...options }: RawOptions,
  body: (pair: RawPair) => Promise<void>,
): Promise<void> {
  await withConnections(kind, 1, async ([connection]) => {
    const [own, other] = role === "dialer" ? connection! : connection!.toReversed() as [Transport, Transport];
    const clock = new ManualClock();
    const transport = new CountingTransport(own);
    const end = sessionEnd(transport, role, options, clock);
    const peer = new RawPeer(other);
    if (greet) {
      peer.hello();
      await within(5_000, end.opened, "the session opens");
      await peer.next("hello");
    }
    const peerId = (index: number) => 2 * index + (role === "dialer" ? 2 : 1);
    const ownId = (index: number) => 2 * index + (role === "dialer" ? 1 : 2);
    await body({
      end,
      peer,
      clock,
      slowed: transport,
      received: (bytes) => transport.received(bytes),
      peerId,
      ownId,
      accepted(bytes = [], more = {}) {
        peer.send("connect_request", { stream: peerId(0), host: "a", port: 1, ...more }, bytes);
        return end.nextStream();
      },
    });
    await finishRaw(end, peer, clock);
  });
}

/** Asserts that a session ends with this code, and sends it to its peer. */
export async function assertEnds({ end, peer }: RawPair, code: string, message?: RegExp): Promise<void> {
  const goaway = await peer.next("goaway");
  assert.equal(goaway.payload.code, code);
  if (message !== undefined) assert.match(goaway.payload.message, message);
  const error = await within(5_000, end.closed, "the session closes");
  assert.equal(error?.code, code);
}

async function finish(opener: SessionEnd, accepter: SessionEnd): Promise<void> {
  assert.deepEqual([...opener.consumerErrors, ...accepter.consumerErrors], [], "callbacks failed");
  assert.equal(opener.session.streamCount, 0, "streams left at the opener");
  assert.equal(accepter.session.streamCount, 0, "streams left at the accepter");
  const open = opener.session.state === "open" && accepter.session.state === "open";
  if (open) opener.session.drain();
  const errors = await within(5_000, Promise.all([opener.closed, accepter.closed]), "both sessions close");
  if (open) assert.deepEqual(errors, [undefined, undefined]);
}

async function finishRaw(end: SessionEnd, peer: RawPeer, clock: ManualClock): Promise<void> {
  if (end.session.state !== "closed") end.session.close("going_away", "the test is over");
  peer.close();
  await within(5_000, Promise.all([end.closed, peer.closed]), "the connection closes");
  assert.deepEqual(end.consumerErrors, [], "callbacks failed");
  assert.equal(end.session.streamCount, 0);
  assert.equal(clock.timers, 0, "timers left");
}

function opposite(role: Role): Role {
  return role === "dialer" ? "listener" : "dialer";
}
