import assert from "node:assert/strict";
import { MemoryBudget } from "../../../shared/mux/flow/memory_budget.ts";
import { type SessionOptions, sessionOptions } from "../../../shared/mux/options.ts";
import type { Role } from "../../../shared/mux/stream/stream_ids.ts";
import { StreamTable } from "../../../shared/mux/stream/stream_table.ts";
import type { FrameSender } from "../../../shared/mux/stream/stream_table_init.ts";
import type { IncomingStreamMessage } from "../../../shared/mux/wire/incoming.ts";
import {
  isOpening,
  type OpeningMessage,
  type SessionMessage,
  type StreamMessage,
} from "../../../shared/protocol/messages.ts";

export const opening: OpeningMessage = { type: "connect_request", payload: { host: "a", port: 1 } };
export const data: StreamMessage = { type: "connect_data", payload: {} };

/** A sender that records session messages. */
class RecordingSender implements FrameSender {
  readonly sent: string[] = [];

  ready(): void {}

  remove(): void {}

  control(message: SessionMessage): void {
    const { stream, code } = message.payload as { stream?: number; code?: string };
    this.sent.push(`${message.type} ${stream} ${code}`);
  }
}

/** Makes a table whose sender and callbacks are recorded. */
export function makeTable(
  role: Role,
  options: Partial<SessionOptions> = {},
  peerAllows = 10,
  { budget = new MemoryBudget(0), client }: { budget?: MemoryBudget; client?: string } = {},
) {
  const sender = new RecordingSender();
  let closed = 0;
  let abandoned = 0;
  const table = new StreamTable({
    role,
    options: sessionOptions(options),
    budget,
    client,
    sender,
    consumerError: assert.fail,
    streamClosed: () => closed++,
    streamAbandoned: () => abandoned++,
  });
  table.setLimits({ window: 1_000, max_streams: peerAllows });
  const numbers = new Map<number, number>();
  /** Receives a message with the next number of its stream, and its body of zeros. */
  const receive = (
    id: number,
    message: StreamMessage,
    bodyLength = 0,
    more: Partial<IncomingStreamMessage> = {},
  ) => {
    const n = more.n ?? (isOpening(message) ? 0 : numbers.get(id) ?? 0);
    numbers.set(id, n + 1);
    const incoming = { kind: "stream", id, n, message, end: false, trailers: undefined, ...more } as const;
    const received = table.receive(incoming, bodyLength);
    if (bodyLength > 0) received.reader?.body(new Uint8Array(bodyLength));
    return received;
  };
  return { table, sent: sender.sent, receive, closed: () => closed, abandoned: () => abandoned };
}
