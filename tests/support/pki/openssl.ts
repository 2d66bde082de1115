import assert from "node:assert/strict";
import { whyMissing } from "../tools.ts";

/** Why tests with {@linkcode openssl} are skipped; undefined when the program is installed. */
export const noOpenssl = await whyMissing("openssl", "version");

/** Result of an openssl run. */
export interface OpensslResult {
  /** 0 is success. */
  readonly code: number;
  /** Its standard output, followed by its standard error. */
  readonly text: string;
}

/**
 * Runs openssl in a folder.
 *
 * @param words Its arguments, separated by spaces.
 * @param more Further arguments, which may contain spaces.
 */
export async function runOpenssl(cwd: string, words: string, ...more: string[]): Promise<OpensslResult> {
  const args = [...words.split(" "), ...more];
  const { code, stdout, stderr } = await new Deno.Command("openssl", { args, cwd, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Like {@linkcode runOpenssl}, but fails when openssl fails; returns its output. */
export async function openssl(cwd: string, words: string, ...more: string[]): Promise<string> {
  const { code, text } = await runOpenssl(cwd, words, ...more);
  assert.equal(code, 0, `openssl ${words}: ${text}`);
  return text;
}

/** Defines a test that needs openssl; without it, the name says why the test is skipped. */
export function withOpenssl(name: string, fn: () => Promise<void>): Deno.TestDefinition {
  const reason = noOpenssl === undefined ? "" : ` (skipped: ${noOpenssl})`;
  return { name: `${name}${reason}`, ignore: noOpenssl !== undefined, fn };
}

/**
 * Writes the revocation list `name.crl` with `openssl ca`, signed by the CA of `name.crt` and `name.key` in the folder.
 *
 * @param revoked Files of the certificates to revoke.
 * @param hash Hash of the signature.
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
