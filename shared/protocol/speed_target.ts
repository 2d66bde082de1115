/**
 * The name under which a server answers itself, so that an agent can measure the path (SPEC.md 4.7). It can be the
 * name of nobody else (RFC 6761 section 6.4).
 */
export const SPEED_HOST = "speed.sallyport.invalid";

/** Bytes that it gives for one request at the most. */
export const MAX_SPEED_BYTES = 16_777_216;
