import type { Clock } from "../clock.ts";
import type { ErrorCode } from "../errors.ts";
import { FrameEncoder } from "./codec.ts";
import type { Transport } from "./transport.ts";

/** Milliseconds for the message to leave and the peer to close. */
const CLOSE_TIMEOUT = 1_000;
/** Bytes of the one frame. */
const FRAME_BYTES = 2_048;

/** Whom to turn away, and why. */
export interface TurnAwayOptions {
  /** The connection, whose peer was let in and from which nothing was read. */
  readonly transport: Transport;
  readonly clock: Clock;
  /** A code of SPEC.md 6 other than `going_away`, which would invite the peer to stay. */
  readonly code: ErrorCode;
  /** Why, for the peer; at most 1,024 characters travel. */
  readonly message: string;
  /** The connection is over. */
  closed?(): void;
}

/** Tells a peer with a `goaway` in place of the `hello` that it cannot stay (SPEC.md 3.1, 3.4), and closes. */
export function turnAway({ transport, clock, code, message, closed }: TurnAwayOptions): void {
  const cancel = clock.after(CLOSE_TIMEOUT, () => transport.abort());
  // Nothing that the peer says is of interest, and an error no more than its leaving.
  transport.start({
    data() {},
    closed() {
      cancel();
      closed?.();
    },
  });
  const payload = { code, message: message.slice(0, 1_024), last_stream: 0 };
  const encoder = new FrameEncoder(new Uint8Array(FRAME_BYTES));
  encoder.append(JSON.stringify({ type: "goaway", payload }));
  transport.write(encoder.bytes, () => transport.close());
}
