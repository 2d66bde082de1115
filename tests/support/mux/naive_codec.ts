/**
 * The simplest codec for the frames of SPEC.md 2.1. It shares no code with the real one, so that a difference between
 * the two is a bug in one of them.
 */

/** A complete frame. */
export interface NaiveFrame {
  type: string;
  // deno-lint-ignore no-explicit-any -- tests look into payloads of every kind
  payload: any;
  body: number[];
}

/** Writes a frame; `json` is not checked, so that tests can write invalid envelopes. */
export function naiveEncode(json: string | number[], body: Iterable<number> = []): number[] {
  const jsonBytes = typeof json === "string" ? [...new TextEncoder().encode(json)] : json;
  const bodyBytes = [...body];
  return [...bigEndian(jsonBytes.length), ...bigEndian(bodyBytes.length), ...jsonBytes, ...bodyBytes];
}

/** Reads all complete frames at the start of `bytes`, and returns how many bytes they took. */
export function naiveDecode(bytes: ArrayLike<number>): { frames: NaiveFrame[]; taken: number } {
  const all = Array.from(bytes);
  const frames: NaiveFrame[] = [];
  let taken = 0;
  while (all.length - taken >= 8) {
    const jsonStart = taken + 8;
    const bodyStart = jsonStart + number(all.slice(taken, taken + 4));
    const end = bodyStart + number(all.slice(taken + 4, taken + 8));
    if (all.length < end) break;
    const json = new TextDecoder().decode(new Uint8Array(all.slice(jsonStart, bodyStart)));
    const { type, payload } = JSON.parse(json);
    frames.push({ type, payload, body: all.slice(bodyStart, end) });
    taken = end;
  }
  return { frames, taken };
}

/** The length of a frame in bytes. */
export function naiveSize({ type, payload, body }: NaiveFrame): number {
  return naiveEncode(JSON.stringify({ type, payload }), body).length;
}

function bigEndian(value: number): number[] {
  return [
    Math.floor(value / 16_777_216),
    Math.floor(value / 65_536) % 256,
    Math.floor(value / 256) % 256,
    value % 256,
  ];
}

function number(bytes: number[]): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
