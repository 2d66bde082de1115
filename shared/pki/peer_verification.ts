/**
 * Verification of the peer of a TLS connection, at both ends of the tunnel (SPEC.md 1.1).
 *
 * @example Verify a client on a TLS server socket, and again after a reload
 * ```ts
 * import type { X509Certificate } from "node:crypto";
 * import {
 *   clientIdentity,
 *   type HandshakeSocket,
 *   type Peer,
 *   type PeerRequirements,
 *   presentedChain,
 *   presentedCount,
 *   revalidatePeer,
 *   verifyPeer,
 * } from "./peer_verification.ts";
 *
 * export function accept(socket: HandshakeSocket, authorities: readonly X509Certificate[]): Peer {
 *   console.log(`${presentedCount(socket)} certificates: ${presentedChain(socket).map(clientIdentity)}`);
 *   const requirements: PeerRequirements = { authorities, usage: "clientAuth", mode: "standalone" };
 *   return verifyPeer(socket, requirements); // when it throws, destroy the socket
 * }
 *
 * export function mayStay(peer: Peer, requirements: PeerRequirements): boolean {
 *   return revalidatePeer(peer, requirements) === undefined;
 * }
 * ```
 * @module
 */
import { createHash, X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { SallyportError } from "../errors.ts";
import { chainTooLong, MAX_CHAIN, validatePath } from "./path_validation.ts";
import type { RevocationLists } from "./revocation_lists.ts";
import { certificateFields, type KeyUsage } from "./x509/certificate_fields.ts";
import { DER, readDer } from "./x509/der.ts";
import { type AlternativeNames, subjectOf } from "./x509/names.ts";

/** The other end of a connection, as its certificate identifies it. */
export interface Peer {
  /** The common name of the subject; "" when it has none. */
  readonly commonName: string;
  /** The alternative names. They may contain control characters and anything else. */
  readonly names: AlternativeNames;
  /** The serial number, in hex. */
  readonly serial: string;
  /** Distinguishes this client from others: {@linkcode clientIdentity}, which the peer cannot choose. */
  readonly identity: string;
  /** When the certificate expires. */
  readonly notAfter: Date;
  /** The certificate, followed by those that were presented with it. */
  readonly chain: readonly X509Certificate[];
}

/** What the certificate of a peer is verified against. */
export interface PeerRequirements {
  /** The certificates of the private CA. */
  readonly authorities: readonly X509Certificate[];
  /** `clientAuth` for peers that connected to us, `serverAuth` for those that we connected to. */
  readonly usage: KeyUsage;
  /** The name or address that the certificate has to carry. @default {any} */
  readonly serverName?: string | undefined;
  /** Which certificates are revoked. @default {none} */
  readonly revocation?: RevocationLists | undefined;
  /** @default {now} */
  readonly at?: Date;
  /**
   * Whether TLS has validated the chain too. With `standalone`, a CA has to have issued the certificate directly, and
   * `authorized` is ignored.
   * @default "after_tls"
   */
  readonly mode?: "after_tls" | "standalone";
}

/** The parts of a TLS socket that are verified. */
export type HandshakeSocket = Pick<
  TLSSocket,
  "authorized" | "authorizationError" | "getPeerCertificate" | "getProtocol" | "isSessionReused"
>;

/**
 * Verifies the peer of a finished handshake. The caller destroys the socket when this throws, before it reads a byte.
 *
 * This does not rely on the runtime alone: a resumed handshake presents no certificate and may have begun at any other
 * TLS listener of the process, and `authorized` has been wrong before. A full TLS handshake itself has proved that the
 * peer has the certificate's private key.
 *
 * Anyone can get this far. A chain that is too long is refused before it is parsed, and a peer that the runtime refused
 * costs no signature check: its names and dates show what is wrong.
 *
 * @throws {SallyportError} `peer_rejected` with the reason.
 */
export function verifyPeer(socket: HandshakeSocket, requirements: PeerRequirements): Peer {
  if (socket.isSessionReused()) throw refused("it resumed an earlier TLS session, which proves nothing");
  if (socket.getProtocol() !== "TLSv1.3") throw refused(`it uses ${socket.getProtocol()}, not TLSv1.3`);
  const count = presentedCount(socket);
  if (count > MAX_CHAIN) {
    const problem = chainTooLong(count);
    throw problem.toError(`Cannot accept the peer: its certificate ${problem.text}`);
  }
  const chain = presentedChain(socket);
  const leaf = chain[0];
  if (leaf === undefined) throw refused("it presented no certificate");
  const isStandalone = requirements.mode === "standalone";
  const isAuthorized = socket.authorized === true;
  const mode = isStandalone ? "standalone" : isAuthorized ? "after_tls" : "names_only";
  const problem = validatePath({ ...requirements, chain, mode });
  if (problem !== undefined) {
    throw problem.toError(`Cannot accept the peer: ${titleOf(leaf)} ${problem.textWithAdvice}`);
  }
  if (!isStandalone && !isAuthorized) {
    throw refused(`${titleOf(leaf)} was not accepted: ${socket.authorizationError}`);
  }
  const { commonName, names } = certificateFields(leaf);
  return {
    commonName,
    names,
    serial: leaf.serialNumber,
    identity: clientIdentity(leaf),
    notAfter: new Date(leaf.validTo),
    chain,
  };
}

/**
 * Verifies a connected peer again, after the requirements changed. Its handshake stands; everything about its
 * certificates is checked again, including their dates.
 *
 * @returns `peer_rejected` with the reason when the connection has to end.
 */
export function revalidatePeer(
  { chain }: Pick<Peer, "chain">,
  requirements: PeerRequirements,
): SallyportError | undefined {
  const problem = validatePath({ ...requirements, chain, mode: requirements.mode ?? "after_tls" });
  if (problem === undefined) return undefined;
  const title = chain[0] === undefined ? "its certificate" : titleOf(chain[0]);
  return problem.toError(`Cannot keep the connection: ${title} ${problem.textWithAdvice}`);
}

function titleOf(leaf: X509Certificate): string {
  return `its certificate (${subjectOf(leaf)})`;
}

function refused(reason: string): SallyportError {
  return new SallyportError("peer_rejected", `Cannot accept the peer: ${reason}`);
}

/**
 * Identifies a certificate by what its CA signed: SHA-256 of the tbsCertificate (RFC 5280 section 4.1), in hex with
 * colons, like a fingerprint. Its holder cannot choose it. A fingerprint also covers the signature, and the holder can
 * replace an ECDSA signature with a second valid one and so get another fingerprint.
 *
 * @throws {SallyportError} `bad_request` when the certificate is not one DER value.
 */
export function clientIdentity({ raw }: Pick<X509Certificate, "raw">): string {
  const bytes = new Uint8Array(raw);
  const [certificate] = readDer(bytes);
  const [signed] = certificate?.tag === DER.sequence ? readDer(certificate.content) : [];
  if (signed?.tag !== DER.sequence || certificate?.raw.length !== bytes.length) {
    throw new SallyportError("bad_request", "Cannot identify the certificate: it is not one DER value");
  }
  return createHash("sha256").update(signed.raw).digest("hex").toUpperCase().match(/../g)!.join(":");
}

/** What the runtime knows of a chain before parsing it; no public method returns it. */
interface NativeHandle {
  getPeerCertificateChain?(): { readonly certificates: readonly Uint8Array[] } | null;
}

type ChainSocket = Pick<TLSSocket, "getPeerCertificate">;

/** Counts the certificates that the peer presented, without parsing them. */
export function presentedCount(socket: ChainSocket): number {
  return presentedDer(socket).length;
}

/** Returns the certificates that the peer presented, its own first, at most {@linkcode MAX_CHAIN}. */
export function presentedChain(socket: ChainSocket): X509Certificate[] {
  return presentedDer(socket).slice(0, MAX_CHAIN).map((raw) => new X509Certificate(raw));
}

function presentedDer(socket: ChainSocket): readonly Uint8Array[] {
  const { _handle: native } = socket as ChainSocket & { _handle?: NativeHandle | null };
  // `getPeerCertificate(true)` parses every certificate twice: 7 ms for the 210 that fit into a handshake.
  if (native?.getPeerCertificateChain !== undefined) {
    return native.getPeerCertificateChain()?.certificates ?? [];
  }
  return legacyChain(socket);
}

/** For runtimes without the handle's method; `presented_chain_test.ts` fails on those. */
function legacyChain(socket: ChainSocket): Uint8Array[] {
  const seen = new Set<DetailedPeerCertificate>();
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // The last one names itself as its issuer.
  while (at?.raw && !seen.has(at)) {
    seen.add(at);
    at = at.issuerCertificate;
  }
  return [...seen].map(({ raw }) => raw);
}
