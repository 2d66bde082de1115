import { verify, type X509Certificate } from "node:crypto";
import { SallyportError } from "../errors.ts";
import type { Crl } from "./crl.ts";

/** The algorithms that a list may be signed with (RFC 5480, RFC 8017, RFC 8410), by identifier. */
const ALGORITHMS: Readonly<Record<string, { readonly key: string; readonly hash: string | null }>> = {
  "2a8648ce3d040302": { key: "ec", hash: "sha256" },
  "2a8648ce3d040303": { key: "ec", hash: "sha384" },
  "2a8648ce3d040304": { key: "ec", hash: "sha512" },
  "2a864886f70d01010b": { key: "rsa", hash: "sha256" },
  "2a864886f70d01010c": { key: "rsa", hash: "sha384" },
  "2a864886f70d01010d": { key: "rsa", hash: "sha512" },
  // Hashes by itself.
  "2b6570": { key: "ed25519", hash: null },
};

/** Tells whether the algorithm of a list's signature is known here; those with SHA-1 and RSA-PSS are not. */
export function isKnownAlgorithm({ algorithm }: Crl): boolean {
  return Object.hasOwn(ALGORITHMS, algorithm);
}

/**
 * Tells whether a list was signed with that authority's key.
 *
 * @throws {SallyportError} `bad_request` when the runtime cannot tell.
 */
export function isSignedBy({ algorithm, signed, signature }: Crl, authority: X509Certificate): boolean {
  const { publicKey } = authority;
  const known = ALGORITHMS[algorithm];
  if (known === undefined || known.key !== publicKey.asymmetricKeyType) return false;
  const curve = publicKey.asymmetricKeyDetails?.namedCurve;
  // The runtime takes every such signature for a wrong one.
  if (curve === "secp521r1" && known.hash === "sha256") {
    throw new SallyportError("bad_request", "its signature (P-521 with SHA-256) cannot be checked here");
  }
  return verify(known.hash, signed, publicKey, signature);
}
