import assert from "node:assert/strict";
import { MemoryBudget } from "../../../shared/mux/flow/memory_budget.ts";
import { sessionOptions } from "../../../shared/mux/options.ts";
import type { FrameSource } from "../../../shared/mux/link/frame_source.ts";
import { LinkSender } from "../../../shared/mux/link/link_sender.ts";
import { type LinkUse, Scheduler } from "../../../shared/mux/session/scheduler.ts";
import { FramedStream } from "../../../shared/mux/stream/framed_stream.ts";
import type { OpeningMessage } from "../../../shared/protocol/messages.ts";
import { ManualClock } from "../manual_clock.ts";
import { naiveDecode, type NaiveFrame, naiveSize } from "./naive_codec.ts";

const OPENING: OpeningMessage = { type: "connect_request", payload: { host: "a", port: 1 } };

/** A sender over a connection whose writes complete when the test says so. */
export class SenderBench {
  readonly frames: NaiveFrame[] = [];
  readonly writes: NaiveFrame[][] = [];
  readonly sender: LinkSender;
  /** What the link may carry of streams. */
  use: LinkUse = "all";
  beforeWrite = () => {};
  overflows = 0;
  /** Memory of messages that wait. */
  held = 0;
  /** How often something was in flight and nothing had been before. */
  begun = 0;
  #pending: (() => void)[] = [];

  constructor(clock: ManualClock, source: () => FrameSource | undefined) {
    const nothing = () => {};
    const end = { start: nothing, pause: nothing, resume: nothing, close: nothing, abort: nothing };
    this.sender = new LinkSender({
      transport: { ...end, write: (bytes, written) => this.#write(bytes, written) },
      clock,
      source,
      beforeWrite: () => this.beforeWrite(),
      inFlight: () => this.begun++,
      memory: () => ({ keep: (bytes) => void (this.held += bytes) }),
      overflow: () => this.overflows++,
    });
  }

  /** Types of the messages of each write. */
  get types(): string[][] {
    return this.writes.map((frames) => frames.map(({ type }) => type));
  }

  /** Bytes of counted frames so far: the total of an `ack` (SPEC.md 5.2). */
  get counted(): number {
    const counted = this.frames.filter(({ type }) => !/^(hello|ack|ping|pong)$/.test(type));
    return counted.reduce((sum, frame) => sum + naiveSize(frame), 0);
  }

  /** The frames of a stream, among these. */
  of({ id }: FramedStream, frames = this.frames): NaiveFrame[] {
    return frames.filter(({ payload }) => payload.stream === id);
  }

  /** Runs the microtasks in which the sender writes. */
  async turn(): Promise<void> {
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }

  /** Completes all writes so far. */
  async written(): Promise<void> {
    await this.turn();
    for (const written of this.#pending.splice(0)) written();
    await this.turn();
  }

  /** Completes and acknowledges writes until there are no more. */
  async drain(): Promise<void> {
    for (let before = -1; before !== this.frames.length;) {
      before = this.frames.length;
      await this.written();
      assert.ok(this.sender.acknowledged(this.counted));
    }
  }

  #write(bytes: Uint8Array, written: () => void): void {
    const { frames, taken } = naiveDecode(bytes);
    assert.equal(taken, bytes.byteLength, "a write holds whole frames");
    this.writes.push(frames);
    this.frames.push(...frames);
    this.#pending.push(written);
  }
}

/** A scheduler with streams, and links that send for it. */
export class SchedulerBench {
  readonly clock = new ManualClock();
  readonly links: SenderBench[] = [];
  readonly scheduler: Scheduler;
  /** Bytes that are kept until they are acknowledged. */
  kept = 0;
  readonly #budget = new MemoryBudget(0);
  #nextId = 1;

  /** @param links How many. */
  constructor(links = 1) {
    this.scheduler = new Scheduler({
      clock: this.clock,
      keep: (bytes) => this.kept += bytes,
      useOf: (sender) => this.links.find((each) => each.sender === sender)!.use,
      isFull: () => this.link.sender.isFull,
      wake: () => this.wake(),
    });
    for (let i = 0; i < links; i++) this.links.push(new SenderBench(this.clock, () => this.scheduler));
  }

  /** The first link. */
  get link(): SenderBench {
    return this.links[0]!;
  }

  /** Opens a stream with this many bytes to send. */
  open(bytes = 0): FramedStream {
    const stream = new FramedStream({
      id: this.#nextId,
      opening: OPENING,
      own: true,
      options: sessionOptions(),
      budget: this.#budget,
      share: this.#budget.held.share(() => {}),
      sendCredit: 16_000_000,
      owner: {
        ready: (each) => this.scheduler.ready(each),
        sendCredit: () => {},
        sendReset: () => {},
        misused: () => assert.fail("the stream was misused"),
        consumerError: assert.fail,
        lingers: () => {},
        closed: (each) => this.scheduler.remove(each),
      },
    });
    this.#nextId += 2;
    stream.begin(new Uint8Array(bytes));
    return stream;
  }

  /** Lets all links send what they may. */
  wake(): void {
    for (const { sender } of this.links) sender.schedule();
  }

  /** Completes and acknowledges writes of all links until there are no more. */
  async drain(): Promise<void> {
    const frames = () => this.links.reduce((sum, link) => sum + link.frames.length, 0);
    for (let before = -1; before !== frames();) {
      before = frames();
      for (const link of this.links) await link.drain();
    }
  }
}
