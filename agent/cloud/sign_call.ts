import { createPrivateKey } from "node:crypto";
import { type Action, audienceOf, CALL_TYPE, type CallClaims } from "../../shared/cloud/call.ts";
import type { Identity } from "../../shared/pki/identity/identity.ts";

/** A call to sign. */
export interface UnsignedCall {
  readonly action: Action;
  /** In upper case. */
  readonly method: string;
  readonly url: URL;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Signature algorithms (RFC 7518 section 3.1) by curve; RSA keys sign with PSS, as in TLS 1.3. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
};

/**
 * Signs a call with the key of the agent's certificate (shared/cloud/call.ts).
 * @returns A compact JWS for `Authorization: Bearer`.
 */
export async function signCall(
  call: UnsignedCall,
  { key, chain }: Pick<Identity, "key" | "chain">,
): Promise<string> {
  // Loaded at the first call: an agent without a cloud never needs it.
  const { importPKCS8, SignJWT } = await import("jose");
  const privateKey = createPrivateKey(key);
  const { asymmetricKeyType, asymmetricKeyDetails } = privateKey;
  const curve = asymmetricKeyDetails?.namedCurve ?? "";
  const alg = ALGORITHMS[curve] ?? (asymmetricKeyType === "ed25519" ? "EdDSA" : "PS256");
  const claims: CallClaims = {
    aud: audienceOf(call.action),
    htm: call.method,
    host: call.url.hostname,
    path: call.url.pathname,
    iat: Math.floor(call.now / 1000),
    jti: crypto.randomUUID(),
  };
  const pkcs8 = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  return await new SignJWT({ ...claims })
    .setProtectedHeader({ alg, typ: CALL_TYPE, x5c: [chain[0]!.raw.toString("base64")] })
    .sign(await importPKCS8(pkcs8, alg));
}
