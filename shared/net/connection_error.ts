import { SallyportError } from "../errors.ts";
import { fromOsError } from "./os_error.ts";

/** Alerts by which the peer refuses our certificate (RFC 8446 section 6.2). */
const REFUSED_US =
  /ALERT_(NO_CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED)/;
/** Error codes of node:tls about the certificate of the peer. */
const REFUSED_PEER = /^(UNABLE_TO_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|INVALID_|HOSTNAME_MISMATCH)/;

/**
 * Translates what ended or prevented a connection between agent and server: `peer_rejected` if it was about a
 * certificate, else `tunnel_down`.
 *
 * @param error What the socket threw.
 * @param doing What was being done, so that "Cannot …" can stand before it.
 */
export function fromConnectionError(error: unknown, doing: string): SallyportError {
  if (error instanceof SallyportError) return error;
  const code = codeOf(error);
  const wrap = (as: "peer_rejected" | "tunnel_down", why: string) =>
    new SallyportError(as, `Cannot ${doing}: ${why}`, { cause: error });
  if (REFUSED_US.test(code)) {
    return wrap("peer_rejected", "the peer did not accept our certificate");
  }
  if (REFUSED_PEER.test(code)) return wrap("peer_rejected", "the peer's certificate was not accepted");
  if (code.endsWith("ALERT_PROTOCOL_VERSION") || code.endsWith("ALERT_HANDSHAKE_FAILURE")) {
    return wrap("tunnel_down", "no common TLS version: TLSv1.3 is required");
  }
  if (isNoTls(error)) {
    return wrap("tunnel_down", "the other end does not speak TLS");
  }
  return wrap("tunnel_down", reasonIn(fromOsError(error, doing).message, doing));
}

/** Whether an error of node:tls says that the other end does not speak TLS. */
export function isNoTls(error: unknown): boolean {
  return codeOf(error) === "ERR_SSL_WRONG_VERSION_NUMBER";
}

/** Whether an error of node:tls is about the certificate of the peer. */
export function isAboutPeerCertificate(error: unknown): boolean {
  return REFUSED_PEER.test(codeOf(error));
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" ? code : "";
}

function reasonIn(message: string, doing: string): string {
  return message.slice(`Cannot ${doing}: `.length);
}
