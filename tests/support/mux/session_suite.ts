import assert from "node:assert/strict";
import type { Role } from "../../../shared/mux/stream/stream_ids.ts";
import type { EndOptions } from "../../../shared/mux/stream/stream.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { OpeningMessage } from "../../../shared/protocol/messages.ts";
import { CountingTransport } from "./counting_transport.ts";
import { ManualClock } from "../manual_clock.ts";
import { RawPeer } from "./raw_peer.ts";
import { type PairOptions, type SessionEnd, sessionEnd, sessionPair } from "./session_pair.ts";
import { TRANSPORTS } from "./transports.ts";
import { within } from "../within.ts";

/** Any opening message. */
export const OPENING: OpeningMessage = {
  type: "connect_request",
  payload: { host: "example.org", port: 443 },
};

/** Two sessions over one connection. */
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
  /** Cuts the opener's end of the connection. */
  abort(): void;
}

/** Options of the two ends. */
export interface SuiteOptions extends Pick<PairOptions, "clock" | "budget"> {
  opener?: PairOptions["dialer"];
  accepter?: PairOptions["dialer"];
}

/**
 * Tests a pair of sessions over every transport, with streams that the dialer opens and streams that the listener opens;
 * `OPENING` is answered automatically. Afterwards no stream may be left; sessions that are still open are drained.
 */
export function sessionTest(name: string, options: SuiteOptions, body: (pair: Pair) => Promise<void>): void {
  for (const kind of TRANSPORTS) {
    for (const role of ["dialer", "listener"] as const) {
      Deno.test(`session ${name} (${kind.name}, ${role} opens)`, async () => {
        const transports = await kind.pair();
        const { opener: own = {}, accepter: other = {}, ...rest } = options;
        const given = role === "dialer" ? { dialer: own, listener: other } : { dialer: other, listener: own };
        const ends = await sessionPair(transports, { ...given, ...rest, answers: true });
        const opener = ends[role];
        const accepter = ends[opposite(role)];
        await body({
          opener,
          accepter,
          async open(bytes, end, opening = OPENING) {
            const near = opener.session.open(opening, bytes, end);
            return { near, far: await accepter.nextStream() };
          },
          abort: () => transports[role === "dialer" ? 0 : 1].abort(),
        });
        await finish(opener, accepter);
        await kind.settled();
      });
    }
  }
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

/** Tests one session, as dialer and as listener, against a raw peer over every transport, on a manual clock. */
export function rawTest(
  name: string,
  options: PairOptions["dialer"] & { greet?: boolean },
  body: (pair: RawPair) => Promise<void>,
): void {
  const { greet = true, ...sessionOptions } = options;
  for (const kind of TRANSPORTS) {
    for (const role of ["dialer", "listener"] as const) {
      Deno.test(`session ${name} (${kind.name}, as ${role})`, async () => {
        const [a, b] = await kind.pair();
        const clock = new ManualClock();
        const transport = new CountingTransport(role === "dialer" ? a : b);
        const end = sessionEnd(transport, role, sessionOptions, clock);
        const peer = new RawPeer(role === "dialer" ? b : a);
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
        await kind.settled();
      });
    }
  }
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
