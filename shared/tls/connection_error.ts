import { SallyportError } from "../errors.ts";
import { fromOsError } from "../net/os_error.ts";

/** Alerts by which the peer says that it does not want our certificate (RFC 8446 section 6.2). */
const REFUSED_US =
  /ALERT_(NO_CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED)/;
/** Verdicts of node:tls about the certificate of the peer. */
const REFUSED_PEER = /^(UNABLE_TO_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|INVALID_|HOSTNAME_MISMATCH)/;

/**
 * Translates what ended, or prevented, a connection between agent and server: `peer_rejected` when it was about
 * a certificate, `tunnel_down` otherwise.
 *
 * @param error What the socket threw.
 * @param doing What was being done, so that "Cannot …" can stand before it.
 */
export function fromConnectionError(error: unknown, doing: string): SallyportError {
  if (error instanceof SallyportError) return error;
  const number = codeOf(error);
  const wrap = (code: "peer_rejected" | "tunnel_down", why: string) =>
    new SallyportError(code, `Cannot ${doing}: ${why}`, { cause: error });
  if (REFUSED_US.test(number)) {
    return wrap("peer_rejected", "the peer did not accept the certificate of this end");
  }
  if (REFUSED_PEER.test(number)) return wrap("peer_rejected", "the peer's certificate was not accepted");
  if (number.endsWith("ALERT_PROTOCOL_VERSION") || number.endsWith("ALERT_HANDSHAKE_FAILURE")) {
    return wrap("tunnel_down", "the two ends have no TLS version in common, TLSv1.3 is needed");
  }
  if (isNoTls(error)) {
    return wrap("tunnel_down", "the other end does not speak TLS");
  }
  return wrap("tunnel_down", wordsOf(fromOsError(error, doing).message, doing));
}

/** Tells whether an error of node:tls says that the other end speaks something else. */
export function isNoTls(error: unknown): boolean {
  return codeOf(error) === "ERR_SSL_WRONG_VERSION_NUMBER";
}

/** Tells whether an error of node:tls is its verdict about the certificate of the peer. */
export function isAboutPeerCertificate(error: unknown): boolean {
  return REFUSED_PEER.test(codeOf(error));
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" ? code : "";
}

function wordsOf(message: string, doing: string): string {
  return message.slice(`Cannot ${doing}: `.length);
}
