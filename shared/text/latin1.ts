import { Buffer } from "node:buffer";

/**
 * Decodes ISO 8859-1: one character per byte, with the same number. `TextDecoder("latin1")` is no such decoder, it
 * stands for windows-1252 (WHATWG Encoding) and reads 0x80 as "€". The bytes are not copied first.
 */
export function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
