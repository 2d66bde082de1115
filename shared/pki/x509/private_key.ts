import { createPrivateKey, type KeyObject } from "node:crypto";
import { shellWord } from "../../text/shell_words.ts";
import { describeContent } from "./pem.ts";
import { type PemData, pemText, unusable } from "./pem_source.ts";

/**
 * Reads a private key in PEM: PKCS #8, "BEGIN EC PRIVATE KEY" or "BEGIN RSA PRIVATE KEY".
 *
 * @throws {SallyportError} `bad_request` when it is not a private key, or is encrypted.
 */
export function parsePrivateKey(data: PemData): KeyObject {
  const text = pemText(data);
  if (/^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    const advice = 'decrypt it with "openssl pkey -in FILE -out NEW"';
    throw unusable(data, `it is encrypted with a passphrase, which is not supported; ${advice}`);
  }
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw unusable(data, `it cannot be read as a PEM private key; ${describeContent(data.bytes)}`, error);
  }
}

/** Permission bits of the group and of others. */
const GROUP_AND_OTHERS = 0o077;

/**
 * Warns when users other than the owner can access a private key's file, and says how to change that.
 *
 * @returns undefined when only the owner can, when the file does not exist, and on Windows, which has no such modes.
 */
export async function keyModeWarning(path: string): Promise<string | undefined> {
  const mode = await Deno.stat(path).then((found) => found.mode, () => null);
  if (mode === null || (mode & GROUP_AND_OTHERS) === 0) return undefined;
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  return `the private key ${path} is open to other users (mode ${shown}): chmod 600 ${shellWord(path)}`;
}
