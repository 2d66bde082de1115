import { SallyportError } from "../../errors.ts";

/** `jsonLength` and `bodyLength`, four bytes each (SPEC.md 2.1). */
export const HEADER_BYTES = 8;
/** The shortest JSON that can be an object (SPEC.md 2.2). */
const MIN_JSON_BYTES = 2;
/** The longest JSON part of a frame (SPEC.md 2.2). */
export const MAX_JSON_BYTES = 262_144;
/** The longest body that is accepted (SPEC.md 2.2). */
export const MAX_BODY_BYTES = 262_144;
/** The longest body that is sent, to keep turns short (SPEC.md 2.5). */
export const SEND_BODY_BYTES = 65_536;

/** The two lengths at the start of a frame. */
interface FrameHeader {
  /** Bytes of the envelope. */
  jsonLength: number;
  /** Bytes of the body. */
  bodyLength: number;
}

/** Writes a frame's header at `offset`. */
export function writeHeader(view: DataView, offset: number, header: FrameHeader): void {
  view.setUint32(offset, header.jsonLength);
  view.setUint32(offset + 4, header.bodyLength);
}

/** Reads a frame's header at `offset`; throws `frame_too_large` for a length out of range (SPEC.md 2.2). */
export function readHeader(bytes: Uint8Array, offset: number): FrameHeader {
  const jsonLength = readU32(bytes, offset);
  const bodyLength = readU32(bytes, offset + 4);
  if (jsonLength < MIN_JSON_BYTES || jsonLength > MAX_JSON_BYTES) {
    throw tooLarge("jsonLength", jsonLength, MIN_JSON_BYTES, MAX_JSON_BYTES);
  }
  if (bodyLength > MAX_BODY_BYTES) throw tooLarge("bodyLength", bodyLength, 0, MAX_BODY_BYTES);
  return { jsonLength, bodyLength };
}

function readU32(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) |
    bytes[offset + 3]!) >>> 0;
}

function tooLarge(name: string, value: number, min: number, max: number): SallyportError {
  return new SallyportError(
    "frame_too_large",
    `Cannot read frame: ${name} ${value} is not in ${min}..${max}`,
  );
}
