import "reflect-metadata"; // @peculiar/x509 needs it first
import { createPublicKey, type KeyObject } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { encodePem } from "../../../shared/pki/x509/pem.ts";
import { unusable } from "../../../shared/pki/x509/pem_source.ts";
import { parsePrivateKey } from "../../../shared/pki/x509/private_key.ts";

/** A key that signs certificates and revocation lists. */
export interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly publicKey: x509.PublicKey;
  /** The signature algorithm. */
  readonly algorithm: EcdsaParams & EcKeyImportParams | RsaHashedImportParams | Algorithm;
}

/** Signature algorithms by the name of the curve or key type in `node:crypto`. */
const ALGORITHMS: Readonly<Record<string, SigningKey["algorithm"]>> = {
  prime256v1: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  secp384r1: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
  rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  ed25519: { name: "Ed25519" },
};
const SUPPORTED = "EC P-256 and P-384, RSA and Ed25519";

/**
 * Makes a signing key from a private key.
 *
 * @param name What messages call it.
 * @throws {SallyportError} `bad_request` when the key type is not supported.
 */
export async function signingKeyOf(key: KeyObject, name: string): Promise<SigningKey> {
  const kind = kindOf(key);
  const algorithm = Object.hasOwn(ALGORITHMS, kind) ? ALGORITHMS[kind] : undefined;
  if (algorithm === undefined) {
    throw unusable({ name }, `keys of type ${kind} are not supported for a CA; ${SUPPORTED} are`);
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
 * Reads a private key: PKCS #8, "BEGIN EC PRIVATE KEY" or "BEGIN RSA PRIVATE KEY".
 *
 * @param name What messages call it.
 * @throws {SallyportError} `bad_request` when it is not a private key or is encrypted.
 */
export function readPrivateKey(pem: string, name: string): KeyObject {
  return parsePrivateKey({ bytes: new TextEncoder().encode(pem), name });
}

function kindOf(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return curve ?? key.asymmetricKeyType ?? "unknown";
}

const NEW_KEY = { name: "ECDSA", namedCurve: "P-256" } as const;

/** Generates a private key for a certificate: P-256, PEM (PKCS #8). */
export async function newPrivateKey(): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey(NEW_KEY, true, ["sign", "verify"]);
  return encodePem(await crypto.subtle.exportKey("pkcs8", privateKey), "PRIVATE KEY");
}
