/** Bytes from which a part is kept as it is: copying it would cost more than its objects do. */
export const SMALL_BYTES = 4_096;
/** The largest buffer that small parts are merged into. */
const MERGED_BYTES = 16_384;
/** The smallest buffer that small parts are merged into. */
const FIRST_BYTES = 256;
/** What a held part takes in addition to its bytes: its objects, its buffer's header and a callback (SPEC.md 5.5). */
export const PART_BYTES = 640;
/** A part is copied when its buffer is more than this many times as large. */
const COMPACT_RATIO = 2;

/** Bytes that wait. */
export interface Part {
  bytes: Uint8Array;
  /** Whether bytes may be appended in the rest of the buffer. */
  owned?: boolean;
}

/**
 * Appends `bytes` to a part that waits, so that many small parts do not cost an object each. Views of the part taken
 * before stay valid.
 * @returns the change of the part's {@linkcode overheadOf}; undefined when the bytes have to be a part of their own.
 */
export function merge(part: Part, bytes: Uint8Array): number | undefined {
  const overhead = overheadOf(part.bytes);
  const before = part.bytes.byteLength;
  const length = before + bytes.byteLength;
  if (bytes.byteLength >= SMALL_BYTES || length > MERGED_BYTES) return undefined;
  if (!part.owned && before >= SMALL_BYTES) return undefined;
  const { buffer, byteOffset } = part.bytes;
  if (part.owned && byteOffset + length <= buffer.byteLength) {
    part.bytes = new Uint8Array(buffer, byteOffset, length);
  } else {
    const room = Math.min(MERGED_BYTES, Math.max(FIRST_BYTES, 2 * length));
    const merged = new Uint8Array(new ArrayBuffer(room), 0, length);
    merged.set(part.bytes);
    part.bytes = merged;
    part.owned = true;
  }
  part.bytes.set(bytes, before);
  return overheadOf(part.bytes) - overhead;
}

/** Bytes that a held part takes in addition to its own: its objects, and the rest of the buffer that it keeps alive. */
export function overheadOf({ byteLength, buffer }: Uint8Array): number {
  return PART_BYTES + buffer.byteLength - byteLength;
}

/**
 * Returns bytes that may be kept: a copy of a small part of a large buffer, which would otherwise stay alive. A single
 * byte for a target that does not read could pin 64 KiB.
 */
export function compact(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * COMPACT_RATIO < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes;
}
