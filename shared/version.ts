/** This version of Sallyport, as sent in `hello`. */
export const VERSION = "0.1.0";

/** Where `deno task compile` writes the commit that it builds, to include it in the executable. */
const COMMIT_FILE = new URL("../.build/commit", import.meta.url);

/** What `--version` prints: the version and, in an executable, the commit that it was built from. */
export function versionText(): string {
  try {
    return `${VERSION} (${Deno.readTextFileSync(COMMIT_FILE).trim()})`;
  } catch {
    return VERSION; // runs from source
  }
}
