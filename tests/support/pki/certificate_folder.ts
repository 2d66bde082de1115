import assert from "node:assert/strict";
import { openssl } from "./openssl.ts";

/** Creates a temporary folder for certificates and removes it after `use`. */
export async function withFolder(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "sallyport_certs_" });
  try {
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Common openssl commands that create a CA's key, by key type and format. */
export const OPENSSL_KEYS: Readonly<Record<string, string>> = {
  "EC P-256, PKCS#8": "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key",
  "EC P-256, EC PRIVATE KEY after its parameters": "ecparam -name prime256v1 -genkey -out ca.key",
  "EC P-384, EC PRIVATE KEY": "ecparam -name secp384r1 -genkey -noout -out ca.key",
  "RSA, PKCS#8": "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out ca.key",
  "RSA, RSA PRIVATE KEY": "genrsa -traditional -out ca.key 2048",
  "Ed25519": "genpkey -algorithm ed25519 -out ca.key",
};

/** Creates ca.crt and ca.key in a folder with openssl, like an existing CA of an operator. */
export async function opensslAuthority(dir: string, keyCommand: string, ...more: string[]): Promise<void> {
  await openssl(dir, keyCommand);
  const subject = ["-subj", "/C=DE/O=Some Company, Ltd./CN=Our own CA"];
  await openssl(dir, "req -x509 -new -key ca.key -days 30 -out ca.crt", ...subject, ...more);
}

/** Returns the sorted file names in a folder. */
export async function namesIn(dir: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(dir), ({ name }) => name)).sort();
}

/** Asserts that only the owner can read and write a file. */
export async function assertPrivate(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600, path);
}
