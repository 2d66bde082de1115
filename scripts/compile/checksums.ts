/** Writes `SHA256SUMS` in a folder, as `sha256sum --check` reads it, of these files of it. */
export async function writeChecksums(folder: string, names: readonly string[]): Promise<void> {
  const lines = await Promise.all(
    [...names].sort().map(async (name) => {
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${folder}/${name}`));
      return `${new Uint8Array(digest).toHex()}  ${name}\n`;
    }),
  );
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, lines.join(""));
}
