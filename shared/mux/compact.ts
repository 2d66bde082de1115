/** A part smaller than this share of the chunk that it is cut from is copied. */
const SHARE = 2;

/**
 * Bytes that may be kept: a small part of a large chunk would hold all of it, so that a single byte for a target
 * that does not read could pin 64 KiB.
 */
export function compact(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * SHARE < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes;
}
