/**
 * How an agent authenticates its calls to the cloud functions: with a compact JWS (RFC 7515), signed with the key of its
 * certificate, similar to DPoP (RFC 9449). It is sent as `Authorization: Bearer JWS`.
 *
 * The header has `alg` (one of {@linkcode CALL_ALGORITHMS}), `typ` ({@linkcode CALL_TYPE}) and `x5c` (RFC 7515
 * section 4.1.6: the agent's certificate, DER in base64; further ones from older agents are ignored).
 */

/** The actions that a caller may request. */
export const ACTIONS = ["wake", "query", "kill"] as const;

/** One of {@linkcode ACTIONS}. */
export type Action = typeof ACTIONS[number];

/** The `typ` of a call's header, so that no other JWS of the same key is mistaken for a call. */
export const CALL_TYPE = "sallyport-call+jwt";

/** Signature algorithms for the keys of TLS 1.3. */
export const CALL_ALGORITHMS = ["ES256", "ES384", "ES512", "PS256", "EdDSA"] as const;

/** Milliseconds for which a call is valid; clocks may differ by as much in the other direction. */
export const CALL_LIFETIME_MS = 60_000;

/** The claims of a call. */
export interface CallClaims {
  /** Audience, RFC 7519 section 4.1.3: {@linkcode audienceOf} the action. */
  readonly aud: string;
  /** Method of the request, in capitals (RFC 9449 section 4.2). */
  readonly htm: string;
  /** Host name of the request, in lower case and without a port, as a Function URL's `requestContext.domainName`. */
  readonly host: string;
  /** Path of the request line, without a query. */
  readonly path: string;
  /** When it was signed, seconds since 1970. */
  readonly iat: number;
  /** A random id, against replays. */
  readonly jti: string;
}

/** The audience of calls for an action. */
export function audienceOf(action: Action): string {
  return `sallyport:${action}`;
}
