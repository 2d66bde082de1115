import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { SallyportError } from "../errors.ts";
import { type AlternativeNames, certificateFields, type KeyUsage } from "./certificate_fields.ts";
import { identityOf } from "./identity_of.ts";
import { MAX_CHAIN, presentedChain, presentedCount } from "./presented_chain.ts";
import type { Revocation } from "./revocation.ts";
import { subjectOf } from "./subject.ts";
import { findFault, longChainFault } from "./trust.ts";

/** Who is at the other end of a connection, as its certificate says. */
export interface Peer {
  /** The common name of the subject; "" when it has none. */
  readonly commonName: string;
  /** The alternative names; control characters and anything else may be in them. */
  readonly names: AlternativeNames;
  /** The serial number, in hex. */
  readonly serial: string;
  /** What tells this client from others, `identityOf` its certificate: the peer cannot choose it. */
  readonly fingerprint: string;
  /** When the certificate ends. */
  readonly notAfter: Date;
  /** The certificate, and after it those that came with it. */
  readonly chain: readonly X509Certificate[];
}

/** What a peer has to be. */
export interface PeerRule {
  /** The certificates of the one private CA. */
  readonly authorities: readonly X509Certificate[];
  /** `clientAuth` for those that dialled us, `serverAuth` for those that we dialled. */
  readonly usage: KeyUsage;
  /** The name or address that the certificate has to carry. @default {any} */
  readonly serverName?: string | undefined;
  /** Which certificates the CA took back. @default {none} */
  readonly revocation?: Revocation | undefined;
  /** @default {now} */
  readonly at?: Date;
  /**
   * Whether TLS has judged the chain too, or this judgement stands alone: then an authority has to have issued the
   * certificate itself, and `authorized` is not looked at.
   * @default "tls"
   */
  readonly proof?: "tls" | "alone";
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
 * Strangers get here too. A chain that is too long is refused before it is parsed, and a peer that the runtime
 * refused costs no signature check: its names and dates tell what is wrong.
 *
 * @throws {SallyportError} `peer_rejected` with the reason.
 */
export function judgePeer(socket: JudgedSocket, rule: PeerRule): Peer {
  if (socket.isSessionReused()) throw rejected("it resumed an earlier session, which proves nothing");
  if (socket.getProtocol() !== "TLSv1.3") throw rejected(`it speaks ${socket.getProtocol()}, not TLSv1.3`);
  const count = presentedCount(socket);
  if (count > MAX_CHAIN) {
    const fault = longChainFault(count);
    throw fault.rejection(`Cannot let the peer in: its certificate ${fault.text}`);
  }
  const chain = presentedChain(socket);
  const leaf = chain[0];
  if (leaf === undefined) throw rejected("it presented no certificate");
  const isAlone = rule.proof === "alone";
  const isAuthorized = socket.authorized === true;
  const proof = isAlone ? "alone" : isAuthorized ? "tls" : "names";
  const fault = findFault({ ...rule, chain, proof });
  if (fault !== undefined) throw fault.rejection(`Cannot let the peer in: ${whoseOf(leaf)} ${fault.text}`);
  if (!isAlone && !isAuthorized) {
    throw rejected(`${whoseOf(leaf)} was not accepted: ${socket.authorizationError}`);
  }
  const { commonName, names } = certificateFields(leaf);
  return {
    commonName,
    names,
    serial: leaf.serialNumber,
    fingerprint: identityOf(leaf),
    notAfter: new Date(leaf.validTo),
    chain,
  };
}

/**
 * Decides whether a peer that was let in may stay, after the rule changed. Its handshake stands; everything that
 * its certificates have to be is looked at again, their dates included.
 *
 * @returns `peer_rejected` with the reason when it may not.
 */
export function judgeAgain({ chain }: Pick<Peer, "chain">, rule: PeerRule): SallyportError | undefined {
  const fault = findFault({ ...rule, chain, proof: rule.proof ?? "tls" });
  if (fault === undefined) return undefined;
  const whose = chain[0] === undefined ? "its certificate" : whoseOf(chain[0]);
  return fault.rejection(`Cannot keep the connection: ${whose} ${fault.text}`);
}

function whoseOf(leaf: X509Certificate): string {
  return `its certificate (${subjectOf(leaf)})`;
}

function rejected(why: string): SallyportError {
  return new SallyportError("peer_rejected", `Cannot let the peer in: ${why}`);
}
