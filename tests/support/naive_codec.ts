/**
 * The frames of SPEC.md 2.1 in the plainest way there is, sharing no code with the real codec: what the two
 * disagree about is a mistake of one of them.
 */

/** A whole frame. */
export interface NaiveFrame {
  type: string;
  // deno-lint-ignore no-explicit-any -- tests look into payloads of every kind
  payload: any;
  body: number[];
}

/** Writes a frame; `json` as given, so that tests can write envelopes that are none. */
export function naiveEncode(json: string | number[], body: Iterable<number> = []): number[] {
  const jsonBytes = typeof json === "string" ? [...new TextEncoder().encode(json)] : json;
  const bodyBytes = [...body];
  return [...bigEndian(jsonBytes.length), ...bigEndian(bodyBytes.length), ...jsonBytes, ...bodyBytes];
}

/** Reads all whole frames at the start of `bytes`, and says how many bytes they took. */
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

/** How many bytes a frame takes. */
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
