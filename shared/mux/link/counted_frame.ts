import type { SessionMessage } from "../../protocol/messages.ts";
import type { SentFrame } from "../stream/sent_numbers.ts";
import type { FramedStream } from "../stream/framed_stream.ts";

export const NO_BYTES: Uint8Array = new Uint8Array(0);
/** What a kept frame takes in addition to its texts: its objects and its slots in lists. */
const FRAME_BYTES = 256;
/** What a message counts for the limit of its link in addition to its characters (SPEC.md 3.5). */
export const MESSAGE_BYTES = 64;
/**
 * How often the characters of an envelope count: it is kept once, and leaves garbage of what it was made from. With 1, a
 * server whose peer keeps long heads unacknowledged took 340 MiB; with 3 it takes 193.
 */
const ENVELOPE_COPIES = 3;
/** What a body takes in addition to its bytes. */
const BODY_BYTES = 256;

/** A frame that is kept until the peer has acknowledged it, to be sent again when its link is lost (SPEC.md 5.2). */
export interface CountedFrame extends SentFrame {
  /** Its stream; `session` for a message of the session, `window` and `reset` included; `dropped` frames keep nothing. */
  owner: FramedStream | "session" | "dropped";
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
    owner: "session",
    n: 0,
    opens: false,
    mustArrive,
  };
}

/** The stream of a frame; undefined for a message of the session and for a dropped frame. */
export function streamOf({ owner }: CountedFrame): FramedStream | undefined {
  return typeof owner === "string" ? undefined : owner;
}

/** What a frame costs while it waits or is kept (SPEC.md 5.5). */
export function keptBytes({ json, body }: SentFrame): number {
  const length = body.byteLength;
  return FRAME_BYTES + ENVELOPE_COPIES * json.length + (length === 0 ? 0 : BODY_BYTES + length);
}

/** What a session message counts for the limit of its link (SPEC.md 3.5); other frames count nothing. */
export function unreadBytes({ owner, json }: CountedFrame): number {
  return owner === "session" ? json.length + MESSAGE_BYTES : 0;
}
