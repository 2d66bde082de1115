import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";

/**
 * Certificates of one chain at the most: the peer's own and three between it and the CA. A handshake carries hundreds,
 * and whoever sends them need not hold a good one.
 */
export const MAX_CHAIN = 4;

/** What the runtime has of a chain before anything of it is parsed; no public method gives it. */
interface NativeHandle {
  getPeerCertificateChain?(): { readonly certificates: readonly Uint8Array[] } | null;
}

type ChainSocket = Pick<TLSSocket, "getPeerCertificate">;

/** How many certificates the peer presented; nothing is parsed to count them. */
export function presentedCount(socket: ChainSocket): number {
  return rawChain(socket).length;
}

/** The certificates that the peer presented, its own first, at most {@linkcode MAX_CHAIN}; empty when there were none. */
export function presentedChain(socket: ChainSocket): X509Certificate[] {
  return rawChain(socket).slice(0, MAX_CHAIN).map((raw) => new X509Certificate(raw));
}

function rawChain(socket: ChainSocket): readonly Uint8Array[] {
  const { _handle: native } = socket as ChainSocket & { _handle?: NativeHandle | null };
  // `getPeerCertificate(true)` parses every certificate twice: 7 ms for the 210 that fit into a handshake.
  if (native?.getPeerCertificateChain !== undefined) {
    return native.getPeerCertificateChain()?.certificates ?? [];
  }
  return legacyChain(socket);
}

/** For runtimes without the handle's method; `presented_chain_test.ts` fails where it is gone. */
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
