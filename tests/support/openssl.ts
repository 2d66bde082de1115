import assert from "node:assert/strict";
import { whyMissing } from "./tools.ts";

/** Why tests with {@linkcode openssl} have to be skipped; undefined where the program is there. */
export const noOpenssl = await whyMissing("openssl", "version");

/** What a run of openssl brought. */
export interface OpensslResult {
  /** 0 is success. */
  readonly code: number;
  /** What it wrote, to standard output and then to standard error. */
  readonly text: string;
}

/**
 * Runs openssl in a folder.
 *
 * @param words Its arguments, separated by blanks.
 * @param more Arguments that may have blanks in them.
 */
export async function runOpenssl(cwd: string, words: string, ...more: string[]): Promise<OpensslResult> {
  const args = [...words.split(" "), ...more];
  const { code, stdout, stderr } = await new Deno.Command("openssl", { args, cwd, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Runs openssl in a folder as {@linkcode runOpenssl} does, and fails when it does; returns what it wrote. */
export async function openssl(cwd: string, words: string, ...more: string[]): Promise<string> {
  const { code, text } = await runOpenssl(cwd, words, ...more);
  assert.equal(code, 0, `openssl ${words}: ${text}`);
  return text;
}

/** Options for a test that needs openssl: its name says why it is skipped where there is none. */
export function withOpenssl(name: string, fn: () => Promise<void>): Deno.TestDefinition {
  const reason = noOpenssl === undefined ? "" : ` (skipped: ${noOpenssl})`;
  return { name: `${name}${reason}`, ignore: noOpenssl !== undefined, fn };
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
