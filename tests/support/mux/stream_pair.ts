import type { Session } from "../../../shared/mux/session/session.ts";
import type { SessionOptions } from "../../../shared/mux/options.ts";
import type { EndOptions } from "../../../shared/mux/stream/stream.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { OpeningMessage } from "../../../shared/protocol/messages.ts";
import { MemoryTransport } from "./memory_transport.ts";
import { sessionPair } from "./session_pair.ts";
import { within } from "../within.ts";

/** Streams between the sessions of an agent and a server, in memory. */
export interface StreamPairs {
  /** Opens a stream; `near` is the agent's end, `far` the server's. */
  open(
    opening: OpeningMessage,
    bytes?: Uint8Array,
    options?: EndOptions,
  ): Promise<{ near: MuxStream; far: MuxStream }>;
  /** Resolves with the server's end of the next stream that the agent opens in another way. */
  nextStream(): Promise<MuxStream>;
  /** The agent's session. */
  agent: Session;
  /** The server's session. */
  server: Session;
  /** Ends both sessions; fails when a stream is left. */
  close(): Promise<void>;
}

/** Makes two sessions over one connection in memory. */
export async function streamPairs(options: Partial<SessionOptions> = {}): Promise<StreamPairs> {
  const { dialer, listener } = await sessionPair(MemoryTransport.pair(), {
    dialer: options,
    listener: options,
  });
  return {
    agent: dialer.session,
    server: listener.session,
    nextStream: () => within(5_000, listener.nextStream(), "a stream"),
    async open(opening, bytes, end) {
      const near = dialer.session.open(opening, bytes, end);
      return { near, far: await listener.nextStream() };
    },
    async close() {
      dialer.session.drain();
      await within(5_000, Promise.all([dialer.closed, listener.closed]), "both sessions drained");
    },
  };
}
