import type { Clock } from "../clock.ts";
import { type ErrorCode, SallyportError } from "../errors.ts";
import type { OpeningMessage } from "../protocol/messages.ts";
import { Courier } from "./courier.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import { type SessionOptions, sessionOptions } from "./options.ts";
import type { EndOptions } from "./outbox.ts";
import type { MuxStream } from "./stream.ts";
import { type Role, StreamTable } from "./stream_table.ts";

/** What makes {@linkcode LocalStreams}. */
export interface LocalStreamsInit {
  /** Tells when an event is over in which there was much to carry. */
  clock: Clock;
  /** Memory shared with all other streams of the process. */
  budget: MemoryBudget;
  /** The program that both rooms are in, for messages: `the agent`. */
  where: string;
  /** A stream was opened; the room must `listen` and `resume`. This is its far end. */
  stream(far: MuxStream): void;
  /** A callback of a stream's room threw, and its stream was reset. */
  fault(error: SallyportError): void;
  /** @default those of `DEFAULT_SESSION_OPTIONS`; windows do not grow, since nothing is under way for long */
  options?: Partial<Pick<SessionOptions, "initialWindow" | "maxStreams" | "queueHighMark" | "queueLowMark">>;
}

/**
 * Streams between two rooms of one process: the same as those of a session, with windows, half-closes, resets and
 * the order of messages checked, but without a connection. Nothing is framed, pinged or acknowledged, and there
 * is nothing that could be lost or would have to be made anew.
 */
export class LocalStreams {
  readonly #near: StreamTable;
  readonly #far: StreamTable;
  readonly #couriers: readonly Courier[];
  readonly #where: string;
  readonly #maxStreams: number;
  #leaving = false;
  #whenEmpty: (() => void)[] = [];

  constructor({ clock, budget, where, stream, fault, options: given }: LocalStreamsInit) {
    this.#where = where;
    const { initialWindow } = sessionOptions(given);
    const options = sessionOptions({ ...given, maxWindow: initialWindow });
    this.#maxStreams = options.maxStreams;
    const limits = { window: initialWindow, max_streams: options.maxStreams };
    const table = (role: Role, sender: Courier) => {
      const finished = () => queueMicrotask(() => this.#tellIfEmpty());
      const made = new StreamTable({
        role,
        options,
        budget,
        sender,
        fault,
        wasted() {},
        finished,
        isLocal: true,
      });
      made.greet(limits);
      return made;
    };
    const [outward, homeward] = [new Courier(clock, stream), new Courier(clock, refuseStream)];
    this.#couriers = [outward, homeward];
    this.#near = table("dialer", outward);
    this.#far = table("listener", homeward);
    outward.to = this.#far;
    homeward.to = this.#near;
  }

  /** Streams of which an end is open. */
  get size(): number {
    return Math.max(this.#near.size, this.#far.size);
  }

  /**
   * Opens a stream and returns its near end.
   * @throws SallyportError `going_away` after `leave`, `limit_reached` when there are too many, `bad_request` for
   * an opening message that could not travel.
   */
  open(opening: OpeningMessage, bytes?: Uint8Array, options?: EndOptions): MuxStream {
    if (this.#leaving) throw this.#refusal("going_away", "is stopping");
    // The table would say it of a peer, whose limit somebody could raise.
    if (this.#near.room <= 0) {
      throw this.#refusal("limit_reached", `serves at most ${this.#maxStreams} streams directly at once`);
    }
    return this.#near.open(opening, bytes, options);
  }

  /** Opens no further stream; resolves once the last one has ended. */
  leave(): Promise<void> {
    this.#leaving = true;
    return this.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Ends every stream now, for good. */
  close(error: SallyportError): void {
    this.#leaving = true;
    this.#near.failAll(error);
    this.#far.failAll(error);
  }

  #refusal(code: ErrorCode, why: string): SallyportError {
    return new SallyportError(code, `Cannot open a stream: ${this.#where} ${why}`, { at: "here" });
  }

  #tellIfEmpty(): void {
    if (this.size > 0) return;
    for (const courier of this.#couriers) courier.rest();
    for (const tell of this.#whenEmpty.splice(0)) tell();
  }
}

/** Only the near end opens streams. */
function refuseStream(stream: MuxStream): void {
  stream.reset("protocol_violation", "this end takes no streams");
}
