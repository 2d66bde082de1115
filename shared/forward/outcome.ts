import type { CancelTimer, Clock } from "../clock.ts";
import type { ErrorCode, SallyportError } from "../errors.ts";
import type { MuxStream } from "../mux/stream.ts";
import type { OpeningType } from "../protocol/messages.ts";
import { hostPort } from "../net/host_port.ts";

/** What is known of a stream under way, for an audit line. */
export interface Progress {
  /** How the stream was opened. */
  kind: OpeningType;
  /** What the client asked for: `example.org:443`. */
  target: string;
  /** The address that was reached; missing when none was. */
  address?: string;
  /** The target's status, where it spoke HTTP with us. */
  status?: number;
  /** Bytes from the agent. */
  bytesIn: number;
  /** Bytes to the agent. */
  bytesOut: number;
  /** Milliseconds since the stream's opening; of one that is over, to its end. */
  durationMs: number;
}

/** What became of a stream, for its last audit line. */
export interface Outcome extends Progress {
  /** How the stream failed; missing when it went well. */
  code?: ErrorCode;
  /** What failed, in words for the server's own log; it may name the rule that decided. */
  detail?: string;
  /** The code with which the client reset the stream, as it said itself; `code` is then one of the server's own. */
  peerCode?: ErrorCode;
  /** What the client said when it reset the stream. */
  peerMessage?: string;
}

/** Hears of streams that last. */
export interface OpenListener {
  /** Runs `callback` once the stream counts as one that lasts, unless the returned function is called first. */
  watch(callback: () => void): CancelTimer;
  /** Hears once of each stream that is still open then. */
  onOpen(progress: Progress): void;
}

/** What a recorder needs of its room. */
export interface OutcomeListener {
  /** Where time comes from. */
  clock: Clock;
  /** Hears of streams that last, before they are over. @default {not told} */
  lasting?: OpenListener | undefined;
  /** Hears of every stream once, when it is over. */
  onDone(outcome: Outcome): void;
}

/** Gathers a stream's {@linkcode Outcome}. */
export class OutcomeRecorder {
  readonly #stream: MuxStream;
  readonly #context: OutcomeListener;
  readonly #began: number;
  readonly #cancelOpen: CancelTimer;
  #told = false;
  #error: SallyportError | undefined;
  /** The address that was reached. */
  address: string | undefined;
  /** The target's status. */
  status: number | undefined;

  /** Begins to count time. */
  constructor(stream: MuxStream, context: OutcomeListener) {
    this.#stream = stream;
    this.#context = context;
    const { clock, lasting } = context;
    this.#began = clock.now();
    this.#cancelOpen = lasting === undefined
      ? () => {}
      : lasting.watch(() => lasting.onOpen(this.#progress()));
  }

  /** Notes a failure; the first one counts. */
  failed(error: SallyportError): void {
    this.#error ??= error;
  }

  /** Tells `onDone`, the first time. */
  done(error: SallyportError | undefined): void {
    if (this.#told) return;
    this.#told = true;
    this.#cancelOpen();
    if (error) this.failed(error);
    this.#context.onDone({ ...this.#progress(), ...this.#result() });
  }

  #progress(): Progress {
    const { opening, bytesIn, bytesOut } = this.#stream;
    return {
      kind: opening.type,
      target: hostPort(opening.payload.host, opening.payload.port),
      ...(this.address === undefined ? {} : { address: this.address }),
      ...(this.status === undefined ? {} : { status: this.status }),
      bytesIn,
      bytesOut,
      durationMs: this.#context.clock.now() - this.#began,
    };
  }

  #result(): Pick<Outcome, "code" | "detail" | "peerCode" | "peerMessage"> {
    const own = this.#error === undefined ? {} : { code: this.#error.code, detail: detailOf(this.#error) };
    const { peerReset, isLocal } = this.#stream;
    if (peerReset === undefined || isLocal) return own;
    const said = { peerCode: peerReset.code, peerMessage: peerReset.message };
    return this.#error === peerReset || this.#error === undefined
      ? { ...RESET_BY_CLIENT, ...said }
      : { ...own, ...said };
  }
}

/** What a reset of the client counts as, whatever code and message it chose. */
const RESET_BY_CLIENT = {
  code: "cancelled",
  detail: "Cannot go on with the stream: the agent ended it",
} as const;

function detailOf({ message, cause }: SallyportError): string {
  return typeof cause === "string" ? `${message} (${cause})` : message;
}
