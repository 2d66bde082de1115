import assert from "node:assert/strict";
import type { SallyportError } from "../../shared/errors.ts";
import type { OpeningMessage, StreamMessage } from "../../shared/protocol/messages.ts";
import { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import { type SessionOptions, sessionOptions } from "../../shared/mux/options.ts";
import type { IncomingStreamMessage } from "../../shared/mux/incoming.ts";
import { MuxStream } from "../../shared/mux/stream.ts";
import type { StreamEvents } from "../../shared/mux/stream_events.ts";

export const opening: OpeningMessage = { type: "connect_request", payload: { host: "a", port: 1 } };
export const ack = { type: "connect_ack", payload: {} } as const;
export const data = { type: "connect_data", payload: {} } as const;

/** A stream of this end's own, with an owner that writes down what it is told. */
export function makeStream(options: Partial<SessionOptions> = {}, sendCredit = 1_000, own = true) {
  const told: string[] = [];
  const budget = new MemoryBudget(1_000_000);
  const stream = new MuxStream({
    id: 1,
    opening,
    own,
    budget,
    share: budget.held.share(() => {}),
    sendCredit,
    options: sessionOptions({ initialWindow: 1_000, maxWindow: 1_000, ...options }),
    owner: {
      ready: () => told.push("ready"),
      sendCredit: (_, bytes) => told.push(`credit ${bytes}`),
      sendReset: (_, code) => told.push(`reset ${code}`),
      fault: (error) => told.push(`fault ${(error.cause as Error).message}`),
      finished: () => told.push("finished"),
    },
  });
  return { stream, told, budget };
}

/** Listens and writes down what comes. */
export function listen(stream: MuxStream, more: StreamEvents = {}): string[] {
  const seen: string[] = [];
  stream.listen({
    message: ({ type }) => seen.push(type),
    data: (bytes) => seen.push(`data ${bytes.byteLength}`),
    end: (trailers) => seen.push(`end ${trailers ?? "-"}`),
    drain: () => seen.push("drain"),
    closed: (error: SallyportError | undefined) => seen.push(`closed ${error?.code ?? "well"}`),
    ...more,
  });
  return seen;
}

/** A message of the peer as it comes from the reader. */
export function incoming(message: StreamMessage, more: Partial<IncomingStreamMessage> = {}) {
  return { kind: "stream", id: 1, message, end: false, trailers: undefined, ...more } as const;
}

/** A message of the peer, whole; by default the answer and then plain bytes. */
export function receive(stream: MuxStream, size: number, message?: StreamMessage): void {
  const first = !answered.has(stream);
  answered.add(stream);
  assert.ok(stream.receiveHead(incoming(message ?? (first ? ack : data)), size));
  if (size > 0) stream.receiveBody(new Uint8Array(size));
}

const answered = new WeakSet<MuxStream>();

/** Sends all that can be sent. */
export function flush(stream: MuxStream): number[] {
  const bodies: number[] = [];
  while (stream.sendable) {
    bodies.push(stream.takeFrame(400).body.byteLength);
    stream.frameTaken();
  }
  return bodies;
}
