import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { KeyUsage } from "./certificate_fields.ts";
import { parseAuthorities, parseCertificates } from "./certificates.ts";
import type { IdentitySource } from "./identity_source.ts";
import { type Material, readMaterial, textOf, unusable } from "./material.ts";
import { type Revocation, revocationOf } from "./revocation.ts";
import { findFault } from "./trust.ts";

/** Who an endpoint is, and which peers it believes; checked, so that TLS can use it as it stands. */
export interface Identity {
  /** The endpoint's certificate and its chain, PEM. */
  readonly cert: string;
  /** The private key, PEM. */
  readonly key: string;
  /** The certificates of the private CA, PEM. */
  readonly ca: string;
  /** Those of `cert`, the endpoint's own first. */
  readonly chain: readonly X509Certificate[];
  /** Those of `ca`. */
  readonly authorities: readonly X509Certificate[];
  /** Which certificates were taken back; undefined when nobody keeps a list. */
  readonly revocation: Revocation | undefined;
  /** Why peers with the same list refuse the endpoint itself, in words that follow "it "; undefined if it is good. */
  readonly revoked: string | undefined;
}

/** How an identity is loaded. */
export interface LoadIdentityOptions {
  /** The time by which dates are judged. @default {now} */
  readonly at?: Date;
  /**
   * The identity in use. A server may keep the certificate of this one after its list revokes it, so that the list
   * takes effect for clients. @default {none}
   */
  readonly inUse?: Identity;
}

/** Curves of a key that TLS 1.3 can sign with here; the runtime finds out about others only while it connects. */
const CURVES: readonly (string | undefined)[] = ["prime256v1", "secp384r1", "secp521r1"];

/**
 * Loads a certificate, its key and the CA, and makes sure that they fit: TLS itself drops what it cannot read
 * of a CA in silence, and finds out about a wrong key only while it connects.
 *
 * @param usage What the certificate has to be for; undefined leaves that unasked.
 * @throws {SallyportError} `bad_request`, naming the file and what is wrong with it.
 */
export async function loadIdentity(
  source: IdentitySource,
  usage?: KeyUsage,
  { at = new Date(), inUse }: LoadIdentityOptions = {},
): Promise<Identity> {
  // One after the other, so that of several missing files it is always the first that is named.
  const certificate = await readMaterial(source.cert, "certificate");
  const privateKey = await readMaterial(source.key, "private key");
  const ca = await readMaterial(source.ca, "CA certificate");
  const crl = source.crl && await readMaterial(source.crl, "revocation list");
  const chain = parseCertificates(certificate);
  const authorities = parseAuthorities(ca);
  const key = parseKey(privateKey);
  if (!chain[0]!.checkPrivateKey(key)) {
    throw unusable(privateKey, `it is not the key of the ${certificate.name}`);
  }
  const fault = findFault({ chain, authorities, usage, at, proof: "tls" });
  if (fault !== undefined) throw unusable(certificate, `it ${fault.text}`, fault);
  const texts = { cert: pemOf(chain), key: textOf(privateKey), ca: pemOf(authorities) };
  requireUsable(texts, key, privateKey);
  const revocation = crl && revocationOf(crl, authorities, at);
  const revoked = revocation?.faultOf(chain, authorities);
  const isInUse = inUse?.chain[0]?.fingerprint256 === chain[0]!.fingerprint256;
  // The server judges an agent's certificate, and the agent needs the list all the same.
  if (revoked !== undefined && usage === "serverAuth" && !isInUse) {
    throw unusable(certificate, `it ${revoked}: issue another with certs issue --server`);
  }
  return { ...texts, chain, authorities, revocation, revoked };
}

/** Makes sure that TLS takes it: what it does not take after a reload would cut everybody off. */
function requireUsable(
  texts: { cert: string; key: string; ca: string },
  key: KeyObject,
  from: Material,
): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const known = type === "rsa" || type === "ed25519" || type === "ec" && CURVES.includes(details?.namedCurve);
  if (!known) {
    const kind = details?.namedCurve ?? type;
    throw unusable(
      from,
      `it is of the kind ${kind}; RSA, P-256, P-384, P-521 and Ed25519 serve TLS 1.3 here`,
    );
  }
  try {
    createSecureContext(texts);
  } catch (error) {
    throw unusable(from, `TLS does not take it: ${error instanceof Error ? error.message : error}`, error);
  }
}

function parseKey(material: Material): KeyObject {
  const text = textOf(material);
  if (/^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    throw unusable(material, "it is encrypted with a passphrase, which is not supported");
  }
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw unusable(material, "it cannot be read as a PEM private key", error);
  }
}

/** What was checked is what TLS gets, and nothing that stood beside it. */
function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString().trim()).join("\n") + "\n";
}
