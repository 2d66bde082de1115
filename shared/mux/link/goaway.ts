import type { Clock } from "../../clock.ts";
import type { ErrorCode } from "../../errors.ts";
import type { SessionMessage } from "../../protocol/messages.ts";
import type { Transport } from "../transport.ts";
import { FrameEncoder } from "../wire/frame_codec.ts";

/** Milliseconds after a last `goaway` until a connection that did not close is cut. */
export const CLOSE_TIMEOUT = 1_000;
/** Bytes of a buffer for one `goaway`. */
const FRAME_BYTES = 2_048;
/** Characters of a message that are sent. */
const MESSAGE_LENGTH = 1_024;

/** Makes a `goaway` (SPEC.md 3.4); a message that is too long is cut. */
export function goaway(code: ErrorCode, message: string, lastStream: number): SessionMessage {
  const payload = { code, message: message.slice(0, MESSAGE_LENGTH), last_stream: lastStream };
  return { type: "goaway", payload };
}

/** Which connection to refuse, and why. */
interface RefuseConnectionOptions {
  /** The connection, whose peer was authenticated and from which nothing was read. */
  readonly transport: Transport;
  readonly clock: Clock;
  /** A code of SPEC.md 6 other than `going_away`, after which the peer would wait for the connection to drain. */
  readonly code: ErrorCode;
  /** Why, for the peer; at most 1,024 characters are sent. */
  readonly message: string;
  /** The connection is closed. */
  closed?(): void;
}

/** Refuses a connection with a `goaway` instead of a `hello` (SPEC.md 3.1, 3.4), and closes it. */
export function refuseConnection(options: RefuseConnectionOptions): void {
  const { transport, clock, code, message, closed } = options;
  const cancel = clock.after(CLOSE_TIMEOUT, () => transport.abort());
  // What the peer sends is ignored, and so is an error: the connection is closed either way.
  transport.start({
    data() {},
    closed() {
      cancel();
      closed?.();
    },
  });
  const encoder = new FrameEncoder(new Uint8Array(FRAME_BYTES));
  encoder.append(JSON.stringify(goaway(code, message, 0)));
  transport.write(encoder.bytes, () => transport.close());
}
