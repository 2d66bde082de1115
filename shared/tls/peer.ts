import type { X509Certificate } from "node:crypto";
import { checkServerIdentity, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import { SallyportError } from "../errors.ts";
import { presentedChain } from "./presented_chain.ts";
import { findFault, subjectOf } from "./trust.ts";

/** Who is at the other end of a connection, as its certificate says. */
export interface Peer {
  /** The common name of the subject; "" when it has none. */
  readonly commonName: string;
  /** The serial number, in hex. */
  readonly serial: string;
  /** SHA-256 of the certificate, in hex with colons. */
  readonly fingerprint: string;
  /** When the certificate ends. */
  readonly notAfter: Date;
}

/** What a peer has to be. */
export interface PeerRule {
  /** The certificates of the one private CA. */
  readonly authorities: readonly X509Certificate[];
  /** `clientAuth` for those that dialled us, `serverAuth` for those that we dialled. */
  readonly usage: "serverAuth" | "clientAuth";
  /** The name or address that the certificate has to carry. @default {any} */
  readonly serverName?: string;
}

/** What is asked of a socket. */
export type JudgedSocket = Pick<
  TLSSocket,
  "authorized" | "authorizationError" | "getPeerCertificate" | "getProtocol" | "isSessionReused"
>;

/**
 * Decides whether the peer of a finished handshake is let in (SPEC.md 1.1). The caller destroys the socket when
 * this throws, before a byte of the peer is looked at.
 *
 * It does not rely on the runtime alone: a resumed handshake shows no certificate and may have been begun at any
 * other TLS listener of the process, and `authorized` was wrong before. What TLS itself has proved in a full
 * handshake is that the peer holds the certificate's key.
 *
 * @throws {SallyportError} `peer_rejected` with the reason.
 */
export function judgePeer(socket: JudgedSocket, rule: PeerRule): Peer {
  if (socket.isSessionReused()) throw rejected("it resumed an earlier session, which proves nothing");
  if (socket.getProtocol() !== "TLSv1.3") throw rejected(`it speaks ${socket.getProtocol()}, not TLSv1.3`);
  const presented = socket.getPeerCertificate(true);
  if (!presented?.subject || !presented.raw) throw rejected("it presented no certificate");
  const chain = presentedChain(socket);
  const leaf = chain[0]!;
  const fault = findFault({ chain, authorities: rule.authorities, usage: rule.usage });
  if (fault !== undefined) throw rejected(`its certificate (${subjectOf(leaf)}) ${fault}`);
  if (socket.authorized !== true) {
    throw rejected(`its certificate (${subjectOf(leaf)}) was not accepted: ${socket.authorizationError}`);
  }
  if (rule.serverName !== undefined) requireName(presented, leaf, rule.serverName);
  return {
    commonName: commonNameOf(presented),
    serial: leaf.serialNumber,
    fingerprint: leaf.fingerprint256,
    notAfter: new Date(leaf.validTo),
  };
}

/** Only alternative names count: RFC 9525 section 6.3 has done away with the common name. */
function requireName(presented: DetailedPeerCertificate, leaf: X509Certificate, name: string): void {
  const nameless = { ...presented, subject: { ...presented.subject, CN: "" } };
  if (checkServerIdentity(name, nameless) === undefined) return;
  const names = leaf.subjectAltName ?? "no alternative name at all";
  throw rejected(`its certificate (${subjectOf(leaf)}) is not for "${name}": it carries ${names}`);
}

function commonNameOf({ subject }: DetailedPeerCertificate): string {
  const name: unknown = subject.CN;
  return Array.isArray(name) ? String(name[0] ?? "") : String(name ?? "");
}

function rejected(why: string): SallyportError {
  return new SallyportError("peer_rejected", `Cannot let the peer in: ${why}`);
}
