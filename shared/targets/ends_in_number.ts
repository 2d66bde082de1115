/**
 * Whether a name in normal form has a last label that makes the whole an IPv4 address or nothing: decimal or octal
 * (`2130706433`, `127.1`) or hex (`0x7f000001`, `127.0.0.0x1`); the URL Standard's "ends in a number checker".
 */
export function endsInNumber(name: string): boolean {
  return /(?:^|\.)(?:\d+|0x[\da-f]*)$/.test(name);
}
