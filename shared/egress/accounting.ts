import type { CancelTimer, Clock } from "../clock.ts";
import type { ErrorCode, SallyportError } from "../errors.ts";
import type { MuxStream } from "../mux/stream/stream.ts";
import type { OpeningType } from "../protocol/messages.ts";
import { hostPort } from "../net/host_port.ts";

/** What is known about an open stream, for an audit line. */
export interface TransferProgress {
  /** The type of its opening message. */
  kind: OpeningType;
  /** What the client asked for: `example.org:443`. */
  target: string;
  /** The address that was reached; absent if none was. */
  address?: string;
  /** The target's status code, where this program spoke HTTP with it. */
  status?: number;
  /** Bytes from the agent. */
  bytesIn: number;
  /** Bytes to the agent. */
  bytesOut: number;
  /** Milliseconds from the stream's opening until now, or until its end. */
  durationMs: number;
}

/** How a stream ended, for its last audit line. */
export interface TransferResult extends TransferProgress {
  /** How the stream failed; absent if it did not. */
  code?: ErrorCode;
  /** What failed or was unusual, for the server's own log; it may name the rule that decided. */
  detail?: string;
  /** The code that the client gave when it reset the stream; `code` is then the server's own. */
  peerCode?: ErrorCode;
  /** The message that the client gave when it reset the stream. */
  peerMessage?: string;
}

/** Events of long-lived streams. */
export interface LongLivedListener {
  /** Runs `callback` once the stream counts as long-lived, unless the returned function is called first. */
  watch(callback: () => void): CancelTimer;
  /** A stream has become long-lived; called once for each. */
  onOpen(progress: TransferProgress): void;
}

/** What {@linkcode StreamAccounting} needs. */
export interface TransferListener {
  /** The source of time. */
  clock: Clock;
  /** Hears of long-lived streams while they are open. @default {none} */
  longLived?: LongLivedListener | undefined;
  /** A stream is over; called once for each. */
  onDone(result: TransferResult): void;
}

/** Gathers the {@linkcode TransferResult} of a stream. */
export class StreamAccounting {
  readonly #stream: MuxStream;
  readonly #context: TransferListener;
  readonly #began: number;
  readonly #cancelLongLived: CancelTimer;
  #isDone = false;
  #hadExcess = false;
  #error: SallyportError | undefined;
  /** The address that was reached. */
  address: string | undefined;
  /** The target's status. */
  status: number | undefined;

  /** Starts to measure time. */
  constructor(stream: MuxStream, context: TransferListener) {
    this.#stream = stream;
    this.#context = context;
    const { clock, longLived } = context;
    this.#began = clock.now();
    this.#cancelLongLived = longLived === undefined
      ? () => {}
      : longLived.watch(() => longLived.onOpen(this.#progress()));
  }

  /** Notes an error; the first one counts. */
  failed(error: SallyportError): void {
    this.#error ??= error;
  }

  /** Notes that the target sent more than its response. */
  noteExcess(): void {
    this.#hadExcess = true;
  }

  /** Calls `onDone`, the first time. */
  done(error: SallyportError | undefined): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#cancelLongLived();
    if (error) this.failed(error);
    this.#context.onDone({ ...this.#progress(), ...this.#result() });
  }

  #progress(): TransferProgress {
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

  #result(): Pick<TransferResult, "code" | "detail" | "peerCode" | "peerMessage"> {
    const odd = this.#hadExcess ? { detail: EXCESS } : {};
    const own = this.#error === undefined ? odd : { code: this.#error.code, detail: detailOf(this.#error) };
    const { peerReset, isLocal } = this.#stream;
    if (peerReset === undefined || isLocal) return own;
    const said = { peerCode: peerReset.code, peerMessage: peerReset.message };
    return this.#error === peerReset || this.#error === undefined
      ? { ...RESET_BY_CLIENT, ...said }
      : { ...own, ...said };
  }
}

const EXCESS = "the target sent bytes after its response, which were dropped";

/** How a reset by the client counts, whatever code and message it chose. */
const RESET_BY_CLIENT = {
  code: "cancelled",
  detail: "Cannot continue the stream: the agent reset it",
} as const;

function detailOf({ message, cause }: SallyportError): string {
  return typeof cause === "string" ? `${message} (${cause})` : message;
}
