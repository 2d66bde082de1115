// What is shown, logged or audited may quote text that others wrote: names in certificates, targets, fields of HTTP,
// messages of peers. Everything that makes such text harmless is here.

/**
 * Characters that steer a terminal, break a line, turn the direction of text or cannot be seen: controls, format
 * characters, private and unassigned ones, separators of lines and paragraphs, and halves of surrogate pairs.
 */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/u;
const ALL_HIDDEN = new RegExp(HIDDEN, "gu");
/** The same without C0 controls: in JSON text they are only the white space between values. */
const HIDDEN_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;
const NOT_ASCII = /[^\x20-\x7e]/g;

/** Characters of a quoted text that fit into a message. */
const MAX_QUOTED = 80;

/** Whether a text has characters that a reader could not see, or a terminal would obey. */
export function hasHidden(text: string): boolean {
  return HIDDEN.test(text);
}

/**
 * Makes text safe to print in one line: hidden characters are shown as their code point, as in `\u{1b}`. What people
 * write in any script stays as it is.
 */
export function printable(text: string): string {
  return text.replace(ALL_HIDDEN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** Makes JSON text safe to print, with the same meaning: hidden characters stand in strings only, and are escaped. */
export function printableJson(json: string): string {
  return json.replace(HIDDEN_IN_JSON, escapeUnits);
}

/** Makes one line of JSON pure ASCII, with the same meaning: no script can hide or reorder parts of the line. */
export function asciiJson(json: string): string {
  return json.replace(NOT_ASCII, escapeUnits);
}

/** Cuts what is longer than `max` UTF-16 units, but no character in half, and says so by `…`. */
export function truncate(text: string, max: number = MAX_QUOTED): string {
  return text.length > max ? `${text.slice(0, max).replace(/[\ud800-\udbff]$/, "")}…` : text;
}

/** Quotes text in a message: cut, in double quotes, hidden characters escaped. */
export function quote(text: string, max: number = MAX_QUOTED): string {
  return printableJson(JSON.stringify(truncate(text, max)));
}

function escapeUnits(character: string): string {
  let escaped = "";
  for (let at = 0; at < character.length; at++) {
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}
