/** Bytes from which a part is kept as it is: copying it would cost more than its objects do. */
export const SMALL_BYTES = 4_096;
/** The most bytes that small parts are merged into. */
const MERGED_BYTES = 16_384;
/** Bytes of the first buffer that small parts are merged into. */
const FIRST_BYTES = 256;
/** What a held part takes beyond its bytes: its objects, its buffer's header and a callback (SPEC.md 5.5). */
export const PART_BYTES = 640;

/** Bytes that wait. */
export interface Part {
  bytes: Uint8Array;
  /** Whether the rest of the buffer is this part's to append to. */
  owned?: boolean;
}

/**
 * Appends `bytes` to a part that waits, so that many small parts do not cost an object each. What was taken from
 * the part before stays as it is.
 * @returns by how much the part's {@linkcode overheadOf} changed; undefined when the bytes have to be kept as a part
 * of their own.
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

/** What a held part takes beyond its bytes: {@linkcode PART_BYTES}, and the rest of the buffer that it keeps alive. */
export function overheadOf({ byteLength, buffer }: Uint8Array): number {
  return PART_BYTES + buffer.byteLength - byteLength;
}
