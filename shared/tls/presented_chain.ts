import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";

/** The certificates that the peer presented, its own first; empty when there were none. */
export function presentedChain(socket: Pick<TLSSocket, "getPeerCertificate">): X509Certificate[] {
  const seen = new Set<DetailedPeerCertificate>();
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // The last one names itself as its issuer.
  while (at?.raw && !seen.has(at)) {
    seen.add(at);
    at = at.issuerCertificate;
  }
  return [...seen].map(({ raw }) => new X509Certificate(raw));
}
