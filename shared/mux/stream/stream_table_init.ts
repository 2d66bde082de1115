import type { SallyportError } from "../../errors.ts";
import type { SessionMessage } from "../../protocol/messages.ts";
import type { MemoryBudget } from "../flow/memory_budget.ts";
import type { SessionOptions } from "../options.ts";
import type { SessionTrace } from "../trace.ts";
import type { FrameReader } from "./frame_order.ts";
import type { FramedStream } from "./framed_stream.ts";
import type { Role } from "./stream_ids.ts";

/** Sends the frames of streams, and session messages about them, to the peer. */
export interface FrameSender {
  /** A stream may have something to send. */
  ready(stream: FramedStream): void;
  /** A stream is over. */
  remove(stream: FramedStream): void;
  /** Sends a session message; with `stream`, by a link by which the peer knows of that stream (SPEC.md 4.4). */
  control(message: SessionMessage, stream?: FramedStream): void;
}

/** What makes a {@linkcode StreamTable}. */
export interface StreamTableInit {
  role: Role;
  options: SessionOptions;
  budget: MemoryBudget;
  /** Who the peer is, for its share of the memory. @default {all have the same client} */
  client?: string | undefined;
  sender: FrameSender;
  /** A callback of a stream's consumer threw. */
  consumerError(error: SallyportError): void;
  /** The peer abandoned a stream (SPEC.md 4.6); may throw, which ends the session. */
  streamAbandoned(): void;
  /** A stream is closed and removed. */
  streamClosed(): void;
  /** Memory ran out, and most of it is held by what belongs to no open stream. @default {there is nothing} */
  tooLarge?(bytes: number): void;
  /** Learns what happens to streams. @default {nothing is traced} */
  trace?: SessionTrace | undefined;
  /** Whether the peer is in this process. @default false */
  isLocal?: boolean;
}

/** What became of a message of the peer. */
export interface Received {
  /** `late`: its stream is closed; `repeated`: it already arrived; `refused`: its stream was not opened. */
  fate: "taken" | "late" | "repeated" | "refused";
  /** Takes its body; undefined when that is dropped. */
  reader?: FrameReader | undefined;
  /** The stream that it opened. */
  opened?: FramedStream | undefined;
}
