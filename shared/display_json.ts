/**
 * What JSON leaves as it is in a string, and what readers of a log obey all the same: C1 controls, separators of
 * lines and paragraphs, marks that turn the direction of text, and characters that nobody sees.
 */
export const OBEYED =
  /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/**
 * Escapes in JSON text what could steer a terminal, break a line or hide: the result is JSON with the same
 * meaning. Such characters can only stand in strings.
 */
export function escapeForDisplay(json: string): string {
  return json.replace(OBEYED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
