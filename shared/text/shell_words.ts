/** Puts a text in single quotes, in which POSIX shells take everything literally. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * A word as it can be typed in a shell: in single quotes unless no shell changes any of its characters.
 *
 * @param word Such as a path. A backslash needs no quotes on Windows, where paths have it and shells keep it.
 */
export function shellWord(word: string, os = Deno.build.os): string {
  const plain = os === "windows" ? /^[\w@%+=:,./\\-]+$/ : /^[\w@%+=:,./-]+$/;
  return plain.test(word) ? word : singleQuoted(word);
}
