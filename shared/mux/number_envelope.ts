const encoder = new TextEncoder();
/** More digits might not be exact (ECMA-262, Number.MAX_SAFE_INTEGER). */
const MAX_DIGITS = 15;
const ZERO = 48;
const CLOSING_BRACE = 125;

/**
 * Recognises an envelope whose payload is one whole number and which is written without spaces, such as
 * `{"type":"ack","payload":{"bytes":1}}`: a comparison of bytes instead of a JSON parser.
 */
export class NumberEnvelope {
  readonly #prefix: Uint8Array;

  /**
   * @param type The message's type.
   * @param member The payload's only member.
   */
  constructor(type: string, member: string) {
    this.#prefix = encoder.encode(`{"type":"${type}","payload":{"${member}":`);
  }

  /** The number; undefined for everything else, which may still be an envelope that says the same. */
  read(json: Uint8Array): number | undefined {
    const prefix = this.#prefix;
    const start = prefix.length;
    const end = json.length - 2;
    if (end <= start || end - start > MAX_DIGITS) return undefined;
    if (json[end] !== CLOSING_BRACE || json[end + 1] !== CLOSING_BRACE) return undefined;
    for (let i = 0; i < start; i++) {
      if (json[i] !== prefix[i]) return undefined;
    }
    // JSON has no leading zeros.
    if (json[start] === ZERO && end - start > 1) return undefined;
    return digits(json, start, end);
  }
}

function digits(json: Uint8Array, start: number, end: number): number | undefined {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = json[i]! - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}
