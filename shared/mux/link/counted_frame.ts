import type { SessionMessage } from "../../protocol/messages.ts";
import type { SentFrame } from "../stream/sent_numbers.ts";
import type { FramedStream } from "../stream/framed_stream.ts";

export const NO_BYTES: Uint8Array = new Uint8Array(0);
/** What a kept frame takes in addition to its body: its objects and its envelope. */
const FRAME_BYTES = 512;

/** A frame that is kept until the peer has acknowledged it, to be sent again when its link is lost (SPEC.md 5.2). */
export interface CountedFrame extends SentFrame {
  /** The envelope. */
  readonly json: string;
  /** Its stream; undefined for a message of the session, `window` and `reset` included, and for a dropped frame. */
  stream: FramedStream | undefined;
  /** Its number in its direction of the stream (SPEC.md 4.8). */
  readonly n: number;
  /** Whether the peer has to get it even if nothing else is left to do: a stream of the peer depends on it. */
  readonly mustArrive: boolean;
}

/** A message of the session as a frame. */
export function sessionFrame(message: SessionMessage): CountedFrame {
  const mustArrive = message.type === "reset";
  return {
    json: JSON.stringify(message),
    body: NO_BYTES,
    stream: undefined,
    n: 0,
    opens: false,
    isDropped: false,
    mustArrive,
  };
}

/** What a frame of a stream costs while it is kept (SPEC.md 5.5). */
export function keptBytes({ body }: SentFrame): number {
  return FRAME_BYTES + body.byteLength;
}
