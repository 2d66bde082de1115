import type { HeaderList, StreamMessage } from "../../protocol/messages.ts";
import type { HeldShare } from "./held_memory.ts";

/** What an empty stream takes: its objects here, and those of its consumer, such as a socket. */
export const STREAM_BYTES = 16_384;
/** What an object takes in addition to its texts, roughly. */
const OBJECT_BYTES = 256;
/** What a text takes in addition to its characters: its header, and its slots in lists made from the list. Measured. */
const TEXT_BYTES = 64;
/** How often the characters of fields are kept: in the message, and in the head that the HTTP library makes from it. */
const COPIES = 2;

/** What one stream holds of its session's share (SPEC.md 5.5). */
export class StreamMemory {
  readonly #share: HeldShare;
  #held = 0;
  #released = false;

  constructor(share: HeldShare) {
    this.#share = share;
    this.add(STREAM_BYTES);
  }

  /** Bytes that the stream holds. */
  get held(): number {
    return this.#held;
  }

  /** Whether the process has so little left that writers of this client should wait. */
  get tight(): boolean {
    return this.#share.memory.tightFor(this.#share.client);
  }

  /** Resets streams, perhaps this one, until the memory limit is met; see {@linkcode HeldMemory.settle}. */
  settle(): void {
    this.#share.memory.settle();
  }

  /** The stream holds `bytes` more. */
  add(bytes: number): void {
    if (this.#released) return;
    this.#held += bytes;
    this.#share.change(bytes);
  }

  /** The stream holds `bytes` less. */
  remove(bytes: number): void {
    this.add(-bytes);
  }

  /** Gives everything back; later changes do not count. */
  release(): void {
    this.add(-this.#held);
    this.#released = true;
  }
}

/** About how many bytes a message takes in memory: its texts, which cost no credit (SPEC.md 5.5). */
export function messageCost({ payload }: StreamMessage): number {
  const { path = "", reason = "", headers } = payload as {
    path?: string;
    reason?: string;
    headers?: HeaderList;
  };
  return OBJECT_BYTES + COPIES * path.length + reason.length + headerListCost(headers);
}

/** About how many bytes a list of fields takes in memory, such as trailers. */
export function headerListCost(headers: HeaderList = []): number {
  let bytes = 0;
  for (const text of headers) bytes += COPIES * text.length + TEXT_BYTES;
  return bytes;
}
