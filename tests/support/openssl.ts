import assert from "node:assert/strict";
import { whyMissing } from "./tools.ts";

/** Why tests that need `openssl` have to be skipped; undefined when it is there. */
export const noOpenssl: string | undefined = await whyMissing("openssl", "version");

/** Runs `openssl` with these words in a directory; it must succeed. */
export async function openssl(cwd: string, words: string): Promise<void> {
  const command = new Deno.Command("openssl", { args: words.split(" "), cwd, stdin: "null" });
  const { success, stderr } = await command.output();
  assert.ok(success, `openssl ${words}: ${new TextDecoder().decode(stderr)}`);
}

/**
 * An authority as `openssl ca` keeps it: who has `name.crt` and `name.key` in the directory can take certificates
 * back and write the list `name.crl`.
 *
 * @param revoked Files of certificates to take back.
 * @param hash What the list is signed with.
 */
export async function opensslCrl(
  dir: string,
  name: string,
  revoked: readonly string[] = [],
  hash = "sha256",
): Promise<void> {
  const config = `[ca]\ndefault_ca=own\n[own]\ndatabase=${name}.index\ncrlnumber=${name}.number\n` +
    `default_md=${hash}\ndefault_crl_days=30\n`;
  await Deno.writeTextFile(`${dir}/${name}.cnf`, config);
  await Deno.writeTextFile(`${dir}/${name}.index`, "", { append: true });
  await Deno.writeTextFile(`${dir}/${name}.number`, "01\n");
  const own = `-config ${name}.cnf -cert ${name}.crt -keyfile ${name}.key`;
  for (const file of revoked) await openssl(dir, `ca ${own} -revoke ${file} -crl_reason keyCompromise`);
  await openssl(dir, `ca ${own} -gencrl -out ${name}.crl`);
}
