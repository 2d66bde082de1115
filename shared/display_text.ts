import { OBEYED } from "./display_json.ts";

// deno-lint-ignore no-control-regex -- they are what is looked for
const CONTROLS = /[\u0000-\u001f]/g;

/**
 * Makes text of others safe to print, such as names in certificates and messages of servers: what could steer a
 * terminal, break a line or hide is shown as its code point, as in `\u{1b}`.
 */
export function printable(text: string): string {
  const shown = (character: string) => `\\u{${character.charCodeAt(0).toString(16)}}`;
  return text.replace(CONTROLS, shown).replace(OBEYED, shown);
}
