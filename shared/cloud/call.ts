/**
 * How an agent proves to the cloud's functions who calls: a compact JWS (RFC 7515) signed with the key of its
 * certificate, in the manner of DPoP (RFC 9449). It travels as `Authorization: Bearer JWS`.
 *
 * The header has `alg` (one of {@linkcode CALL_ALGORITHMS}), `typ` ({@linkcode CALL_TYPE}) and `x5c` (RFC 7515
 * section 4.1.6: the agent's certificate, DER in base64; what follows it in calls of older agents is ignored).
 */

/** What a caller may ask for. */
export const ACTIONS = ["wake", "query", "kill"] as const;

/** One of {@linkcode ACTIONS}. */
export type Action = typeof ACTIONS[number];

/** The `typ` of a call's header, so that no other JWS of the same key passes for one. */
export const CALL_TYPE = "sallyport-call+jwt";

/** Algorithms of keys that TLS 1.3 knows too. */
export const CALL_ALGORITHMS = ["ES256", "ES384", "ES512", "PS256", "EdDSA"] as const;

/** Milliseconds that a call is good for; clocks may differ by as much in the other direction. */
export const CALL_LIFETIME_MS = 60_000;

/** The claims of a call. */
export interface CallClaims {
  /** Audience, RFC 7519 section 4.1.3: {@linkcode audienceOf} the action. */
  readonly aud: string;
  /** Method of the request, in capitals (RFC 9449 section 4.2). */
  readonly htm: string;
  /** Host name that is called, in lower case and without a port, as a Function URL's `requestContext.domainName`. */
  readonly host: string;
  /** Path that is called, as it stands in the request line, without a query. */
  readonly path: string;
  /** When it was signed, seconds since 1970. */
  readonly iat: number;
  /** A random id, so that a call cannot be repeated. */
  readonly jti: string;
}

/** The audience of calls for an action. */
export function audienceOf(action: Action): string {
  return `sallyport:${action}`;
}
