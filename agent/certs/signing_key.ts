import "reflect-metadata"; // x509 needs it to be there first
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";

/** A key that signs certificates and revocation lists. */
export interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly publicKey: x509.PublicKey;
  /** How it signs. */
  readonly algorithm: EcdsaParams & EcKeyImportParams | RsaHashedImportParams | Algorithm;
}

/** Ways to sign by the name of the curve, or of the kind of key, that `node:crypto` tells. */
const ALGORITHMS: Readonly<Record<string, SigningKey["algorithm"]>> = {
  prime256v1: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  secp384r1: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
  rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  ed25519: { name: "Ed25519" },
};
const KNOWN = "EC P-256 and P-384, RSA and Ed25519 are";

/**
 * Makes a signing key of a private key.
 *
 * @param name How messages call it.
 * @throws {SallyportError} `bad_request` when it is of a kind that cannot sign here.
 */
export async function signingKeyOf(key: KeyObject, name: string): Promise<SigningKey> {
  const kind = kindOf(key);
  const algorithm = Object.hasOwn(ALGORITHMS, kind) ? ALGORITHMS[kind] : undefined;
  if (algorithm === undefined) {
    throw unusable(name, `keys of the kind ${kind} are not supported for a CA, ${KNOWN}`);
  }
  const der = new Uint8Array(key.export({ type: "pkcs8", format: "der" }));
  const privateKey = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  return { privateKey, publicKey: publicKeyOf(key), algorithm };
}

/** The public half of a private key. */
export function publicKeyOf(key: KeyObject): x509.PublicKey {
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  return new x509.PublicKey(new Uint8Array(spki));
}

/**
 * Reads a private key: PKCS#8, "BEGIN EC PRIVATE KEY" or "BEGIN RSA PRIVATE KEY".
 *
 * @param name How messages call it.
 * @throws {SallyportError} `bad_request` when it is none, or has a passphrase.
 */
export function readPrivateKey(pem: string, name: string): KeyObject {
  if (/^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    const advice = '"openssl pkey -in FILE -out NEW" makes one without';
    throw unusable(name, `it has a passphrase, which is not supported; ${advice}`);
  }
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw unusable(name, "it cannot be read as a PEM private key", cause);
  }
}

function kindOf(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return curve ?? key.asymmetricKeyType ?? "unknown";
}

function unusable(name: string, problem: string, cause?: unknown): SallyportError {
  return new SallyportError("bad_request", `Cannot use ${name}: ${problem}`, { cause });
}
