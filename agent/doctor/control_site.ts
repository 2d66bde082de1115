/** A site that stands for the web: reserved for examples (RFC 2606), served by IANA, also without TLS. */
export const CONTROL_SITE = new URL("http://example.com/");

/** What its page says, and no page of somebody else who answers in its place. */
export const CONTROL_WORDS = "Example Domain";
