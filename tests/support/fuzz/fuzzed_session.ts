import assert from "node:assert/strict";
import { SallyportError } from "../../../shared/errors.ts";
import { MemoryBudget } from "../../../shared/mux/flow/memory_budget.ts";
import { acceptLink } from "../../../shared/mux/session/accept_link.ts";
import type { Session } from "../../../shared/mux/session/session.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { Transport, TransportEvents } from "../../../shared/mux/transport.ts";
import { ManualClock } from "../manual_clock.ts";
import { naiveDecode, naiveEncode } from "../mux/naive_codec.ts";
import { SESSION_KEY } from "../mux/session_pair.ts";
import { type RecordedSession, recordedSession } from "../mux/watched_session.ts";

const OPTIONS = { initialWindow: 5_000, maxWindow: 20_000, maxStreams: 3, resumeTimeout: 4_000 };

/** What the peer or the consumer does; `link` is a connection by index. */
export type Step =
  | { do: "send"; type: string; payload: object; body: number; link: number }
  | { do: "bytes"; bytes: number[]; link: number }
  | { do: "link"; hello: Joining | undefined }
  | { do: "cut"; link: number }
  | { do: "local"; act: "open" | "reset" | "write" | "end" | "resume" | "drain"; which: number }
  | { do: "wait"; ms: number };

/** The members of a further link's `hello` that differ from those of one that may join. */
export interface Joining {
  readonly session?: unknown;
  readonly join?: unknown;
  readonly version?: number;
}

/** The key of a session that does not exist. */
export const OTHER_KEY = "f".repeat(32);

/** What a listener answers to the `hello` of a further link: `hello`, or the code of a `goaway`. */
function answerTo(hello: Joining, isOver: boolean): string {
  const { session, join, version } = { session: SESSION_KEY, join: true, version: 2, ...hello };
  if (version !== 2) return "version_unsupported";
  if (session !== SESSION_KEY && session !== OTHER_KEY) return "protocol_violation";
  if (join !== undefined && typeof join !== "boolean") return "protocol_violation";
  const isKnown = session === SESSION_KEY && !isOver;
  if (join) return isKnown ? "hello" : "session_unknown";
  return isKnown ? "protocol_violation" : "limit_reached";
}

/** A connection whose far end is the test. */
class Wire implements Transport {
  events: TransportEvents | undefined;
  readonly written: number[] = [];
  readonly callbacks: (() => void)[] = [];
  over = false;
  start(events: TransportEvents): void {
    this.events = events;
  }
  write(bytes: Uint8Array, written: () => void): void {
    assert.equal(this.over, false, "written after the end");
    this.written.push(...bytes);
    this.callbacks.push(written);
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.end(undefined);
  }
  abort(): void {
    this.end(new SallyportError("tunnel_down", "cut"));
  }
  end(error: SallyportError | undefined): void {
    if (this.over) return;
    this.over = true;
    this.events!.closed(error);
  }
}

/** A session whose peer, on one connection or several, is the test. */
export class FuzzedSession {
  readonly clock = new ManualClock();
  readonly budget = new MemoryBudget(1_000_000);
  /** Connections, in the order in which they were dialled. */
  readonly wires: Wire[] = [];
  readonly streams: MuxStream[] = [];
  /** How often each stream emitted `closed`. */
  readonly closedCounts = new Map<MuxStream, number>();
  readonly recorded: RecordedSession;
  /** Whether the session has begun. */
  #isKnown = false;
  /** The next number of each stream of the peer. */
  readonly #numbers = new Map<number, number>();

  constructor(readonly role: "dialer" | "listener") {
    const { clock, budget } = this;
    this.recorded = recordedSession({ role, clock, budget, options: OPTIONS }, (stream) => this.#own(stream));
    this.#link({ join: false });
  }

  get session(): Session {
    return this.recorded.session;
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "send":
        this.#send(step.type, this.#numbered(step.payload), step.link, new Uint8Array(step.body));
        break;
      case "bytes":
        this.#deliver(step.bytes, step.link);
        break;
      case "link":
        return await this.#checkedLink(step.hello);
      case "cut":
        // Not the first, on which most steps go on.
        this.wires[Math.max(1, step.link % this.wires.length)]?.end(undefined);
        break;
      case "wait":
        this.clock.advance(step.ms);
        break;
      default:
        this.#local(step.act, step.which);
    }
    await this.settle();
  }

  /** Runs microtasks and completes writes. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await Promise.resolve();
      for (const wire of this.wires) {
        if (!wire.over) { for (const written of wire.callbacks.splice(0)) written(); }
      }
    }
  }

  /** Makes a connection on which the peer greets. @param hello What differs; undefined for a peer that says nothing. */
  #link(hello: Joining | undefined): void {
    const { clock, session } = this;
    if (this.role === "dialer" && session.state === "closed") return;
    const wire = new Wire();
    this.wires.push(wire);
    if (this.role === "dialer") session.dialled(wire);
    else {
      acceptLink({
        transport: wire,
        clock,
        options: OPTIONS,
        find: (key) =>
          key === SESSION_KEY && this.#isKnown && session.state !== "closed" ? session : undefined,
        create: () => this.#begin(),
      });
    }
    if (hello === undefined) return;
    const valid = {
      version: 2,
      software: "",
      window: 2_000,
      max_streams: 4,
      session: SESSION_KEY,
      join: true,
    };
    this.#send("hello", { ...valid, ...hello }, this.wires.length - 1);
  }

  /** Makes a connection, and asserts what a listener answers (SPEC.md 3.1, 3.6). */
  async #checkedLink(hello: Joining | undefined): Promise<void> {
    const isOver = this.session.state === "closed";
    this.#link(hello);
    await this.settle();
    if (this.role === "dialer" || hello === undefined) return;
    const [answer] = naiveDecode(this.wires.at(-1)!.written).frames;
    assert.equal(answer?.type === "goaway" ? answer.payload.code : answer?.type, answerTo(hello, isOver));
  }

  #begin(): Session {
    if (this.#isKnown) throw new SallyportError("limit_reached", "one session is enough");
    this.#isKnown = true;
    return this.session;
  }

  /** With the next number of its stream, if it is a message of a stream without one. */
  #numbered(payload: { stream?: number; n?: number | undefined }): object {
    const { stream = 0, n } = payload;
    if (!("n" in payload)) return payload;
    const next = this.#numbers.get(stream) ?? 0;
    this.#numbers.set(stream, n === undefined ? next + 1 : Math.max(next, n + 1));
    return { ...payload, n: n ?? next };
  }

  #send(type: string, payload: object, link: number, body = new Uint8Array()): void {
    this.#deliver(naiveEncode(JSON.stringify({ type, payload }), body), link);
  }

  #deliver(bytes: number[], link: number): void {
    const wire = this.wires[link % this.wires.length]!;
    if (!wire.over) wire.events!.data(new Uint8Array(bytes));
  }

  #local(act: (Step & { do: "local" })["act"], which: number): void {
    const stream = this.streams[which % Math.max(1, this.streams.length)];
    if (act === "drain") this.session.drain();
    else if (act === "open") {
      if (this.session.capacity <= 0) return;
      this.#own(
        this.session.open({ type: "connect_request", payload: { host: "b", port: 2 } }, new Uint8Array(9)),
      );
    } else if (act === "reset") stream?.reset("cancelled", "x");
    else if (act === "write") stream?.write(new Uint8Array(700));
    else if (act === "end") stream?.end();
    else stream?.resume();
  }

  #own(stream: MuxStream): void {
    this.streams.push(stream);
    stream.listen({
      data: (bytes) => stream.consumed(bytes.byteLength),
      closed: () => this.closedCounts.set(stream, (this.closedCounts.get(stream) ?? 0) + 1),
    });
  }
}
