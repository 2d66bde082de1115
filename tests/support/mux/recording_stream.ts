import assert from "node:assert/strict";
import type { SallyportError } from "../../../shared/errors.ts";
import type { OpeningMessage, StreamMessage } from "../../../shared/protocol/messages.ts";
import { MemoryBudget } from "../../../shared/mux/flow/memory_budget.ts";
import { type SessionOptions, sessionOptions } from "../../../shared/mux/options.ts";
import type { IncomingStreamMessage } from "../../../shared/mux/wire/incoming.ts";
import { FramedStream } from "../../../shared/mux/stream/framed_stream.ts";
import type { StreamEvents } from "../../../shared/mux/stream/stream.ts";

export const opening: OpeningMessage = { type: "connect_request", payload: { host: "a", port: 1 } };
export const ack = { type: "connect_ack", payload: {} } as const;
export const data = { type: "connect_data", payload: {} } as const;

/** Makes a stream whose owner records calls; by default this end opens it. */
export function makeStream(options: Partial<SessionOptions> = {}, sendCredit = 1_000, own = true) {
  const calls: string[] = [];
  const budget = new MemoryBudget(1_000_000);
  const stream = new FramedStream({
    id: 1,
    opening,
    own,
    budget,
    share: budget.held.share(() => {}),
    sendCredit,
    options: sessionOptions({ initialWindow: 1_000, maxWindow: 1_000, ...options }),
    owner: {
      ready: () => calls.push("ready"),
      sendCredit: (_, bytes) => calls.push(`credit ${bytes}`),
      sendReset: (_, code) => calls.push(`reset ${code}`),
      misused: () => calls.push("misused"),
      consumerError: (error) => calls.push(`error ${(error.cause as Error).message}`),
      lingers: () => calls.push("lingers"),
      closed: () => calls.push("closed"),
    },
  });
  return { stream, calls, budget };
}

/** Listens, and records events. */
export function listen(stream: FramedStream, more: StreamEvents = {}): string[] {
  const seen: string[] = [];
  stream.listen({
    message: ({ type }) => seen.push(type),
    data: (bytes) => seen.push(`data ${bytes.byteLength}`),
    end: (trailers) => seen.push(`end ${trailers ?? "-"}`),
    drain: () => seen.push("drain"),
    closed: (error: SallyportError | undefined) => seen.push(`closed ${error?.code ?? "in order"}`),
    ...more,
  });
  return seen;
}

/** A message of the peer, as decoded. */
export function incoming(
  message: StreamMessage,
  more: Partial<IncomingStreamMessage> = {},
): IncomingStreamMessage {
  return { kind: "stream", id: 1, n: 0, message, end: false, trailers: undefined, ...more };
}

/** Delivers a complete message of the peer; by default the answer, then plain bytes. */
export function receive(stream: FramedStream, size: number, message?: StreamMessage): void {
  const n = received.get(stream) ?? 0;
  received.set(stream, n + 1);
  const reader = stream.receive(incoming(message ?? (n === 0 ? ack : data), { n }), size);
  assert.ok(reader !== undefined && !stream.over);
  if (size > 0) reader.body(new Uint8Array(size));
}

/** How many messages each stream has received. */
const received = new WeakMap<FramedStream, number>();

/** Takes all frames that can be sent; returns the lengths of their bodies. */
export function flush(stream: FramedStream): number[] {
  const bodies: number[] = [];
  while (stream.sendable) {
    bodies.push(stream.takeFrame(400).body.byteLength);
    stream.frameWritten();
  }
  return bodies;
}
