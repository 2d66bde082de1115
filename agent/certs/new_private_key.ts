import { toPem } from "./pem.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;

/** Makes a private key for a certificate: P-256, PEM (PKCS#8). */
export async function newPrivateKey(): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  return toPem(await crypto.subtle.exportKey("pkcs8", privateKey), "PRIVATE KEY");
}
