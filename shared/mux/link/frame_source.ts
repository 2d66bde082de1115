import type { CountedFrame } from "./counted_frame.ts";

/** A batch that is filled: what is appended is sent with one write. */
export interface Batch {
  /** Identifies the link: its sender. */
  readonly sender: object;
  /** Bytes of counted frames that still fit, by the batch's size and by what the path carries. */
  readonly room: number;
  /** The same, with so little in flight that what follows on any link hardly waits at either end. */
  readonly quickRoom: number;
  /** Appends a frame and keeps it until it is acknowledged. Returns its length in bytes. */
  append(frame: CountedFrame): number;
}

/** Where a link gets the frames of streams from. */
export interface FrameSource {
  /** Whether streams wait that may go by this link. @param sender That of the link. */
  isWaiting(sender: object): boolean;
  /** Gives the streams their turns while the batch has room. Returns whether one has to wait for room. */
  fill(batch: Batch): boolean;
  /** The peer has acknowledged a frame. */
  delivered(frame: CountedFrame): void;
}
