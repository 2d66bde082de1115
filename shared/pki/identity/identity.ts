import { certsCommand } from "../../cli/command_line.ts";
import type { KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { loadRevocationLists } from "../load_revocation_lists.ts";
import { validatePath } from "../path_validation.ts";
import type { RevocationLists } from "../revocation_lists.ts";
import type { KeyUsage } from "../x509/certificate_fields.ts";
import { parseAuthorities, parseCertificates } from "../x509/pem.ts";
import {
  type LiveText,
  type PemData,
  type PemSource,
  pemText,
  readPemSource,
  unusable,
} from "../x509/pem_source.ts";
import { parsePrivateKey } from "../x509/private_key.ts";

/** Where an endpoint's identity, and the CA that it trusts, come from. */
export interface IdentitySource {
  /** The endpoint's own certificate, followed by its chain if it has one. */
  readonly cert: PemSource;
  /** The private key of that certificate. */
  readonly key: PemSource;
  /** The private CA. */
  readonly ca: PemSource;
  /** The CA's revocation list; a file may also be DER. @default {none} */
  readonly crl?: PemSource | LiveText | undefined;
}

/** An endpoint's own certificate and the peers that it trusts, validated and ready for TLS. */
export interface Identity {
  /** The endpoint's certificate and its chain, PEM. */
  readonly cert: string;
  /** The private key, PEM. */
  readonly key: string;
  /** The certificates of the private CA, PEM. */
  readonly ca: string;
  /** The certificates of `cert`, the endpoint's own first. */
  readonly chain: readonly X509Certificate[];
  /** The certificates of `ca`. */
  readonly authorities: readonly X509Certificate[];
  /** Which certificates are revoked; undefined without a revocation list. */
  readonly revocation: RevocationLists | undefined;
  /** Why peers with the same list refuse the endpoint itself, as a clause that follows "it "; undefined otherwise. */
  readonly revoked: string | undefined;
}

/** Options of {@linkcode loadIdentity}. */
export interface LoadIdentityOptions {
  /** The time at which certificates have to be valid. @default {now} */
  readonly at?: Date;
  /**
   * The identity in use. A server may keep this certificate after its list revokes it, so that the list takes effect for
   * clients. A revocation list older than its own is refused. @default {none}
   */
  readonly inUse?: Identity;
  /** What sets the path of every file, for messages. @default {each file's own configuration key} */
  readonly pathsFrom?: string;
}

/** Curves of keys that TLS 1.3 can sign with here; the runtime reports others only during a handshake. */
const CURVES: readonly (string | undefined)[] = ["prime256v1", "secp384r1", "secp521r1"];

/**
 * Loads a certificate, its key and the CA, and checks that they belong together: TLS itself silently drops CA entries
 * that it cannot read, and notices a wrong key only during a handshake.
 *
 * @param usage The use that the certificate has to allow. @default {any}
 * @throws {SallyportError} `bad_request`, with the name of the file, what is wrong with it and what to do.
 */
export async function loadIdentity(
  source: IdentitySource,
  usage?: KeyUsage,
  { at = new Date(), inUse, pathsFrom }: LoadIdentityOptions = {},
): Promise<Identity> {
  // In sequence, so that of several missing files the error always names the first.
  const certificate = await readPemSource(source.cert, "certificate", pathsFrom ?? "cert_file");
  const privateKey = await readPemSource(source.key, "private key", pathsFrom ?? "key_file");
  const ca = await readPemSource(source.ca, "CA certificate", pathsFrom ?? "ca_cert_file");
  const crl = source.crl && await readPemSource(source.crl, "revocation list", pathsFrom ?? "crl_file");
  const chain = parseCertificates(certificate);
  const authorities = parseAuthorities(ca);
  const key = parsePrivateKey(privateKey);
  if (!chain[0]!.checkPrivateKey(key)) {
    const advice = "use the key file that was made with it";
    throw unusable(privateKey, `it is not the key of the ${certificate.name}; ${advice}`);
  }
  const problem = validatePath({ chain, authorities, usage, at, mode: "after_tls" });
  if (problem !== undefined) throw unusable(certificate, `it ${problem.textWithAdvice}`, problem);
  const texts = { cert: pemOf(chain), key: pemText(privateKey), ca: pemOf(authorities) };
  requireTlsKey(texts, key, privateKey);
  const revocation = crl && loadRevocationLists(crl, authorities, at);
  const rollback = inUse?.revocation && revocation?.rollbackFrom(inUse.revocation);
  if (rollback !== undefined) throw unusable(crl!, rollback);
  const revoked = revocation?.whyRevoked(chain, authorities);
  const isInUse = inUse?.chain[0]?.fingerprint256 === chain[0]!.fingerprint256;
  // An agent's certificate is verified by the server, and the agent needs the list all the same.
  if (revoked !== undefined && usage === "serverAuth" && !isInUse) {
    throw unusable(certificate, `it ${revoked}; issue a new one with ${certsCommand("issue --server")}`);
  }
  return { ...texts, chain, authorities, revocation, revoked };
}

/** Checks that TLS accepts the key: after a reload, one that it refuses would cut off every peer. */
function requireTlsKey(
  texts: { cert: string; key: string; ca: string },
  key: KeyObject,
  source: PemData,
): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const isSupported = type === "rsa" || type === "ed25519" ||
    type === "ec" && CURVES.includes(details?.namedCurve);
  if (!isSupported) {
    const kind = details?.namedCurve ?? type;
    throw unusable(source, `keys of type ${kind} are not supported; use RSA, P-256, P-384, P-521 or Ed25519`);
  }
  try {
    createSecureContext(texts);
  } catch (error) {
    throw unusable(source, `TLS refuses it: ${error instanceof Error ? error.message : error}`, error);
  }
}

/** TLS gets exactly what was validated, without anything else that the file contains. */
function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString().trim()).join("\n") + "\n";
}
