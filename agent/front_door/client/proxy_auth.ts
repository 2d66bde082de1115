import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { headerValues } from "../../../shared/http/headers.ts";
import type { HeaderList } from "../../../shared/protocol/messages.ts";

/** The credentials that clients of the proxy need. */
export interface Credentials {
  /** Contains no colon. */
  readonly user: string;
  readonly password: string;
}

/** Credentials as a client sent them. */
export interface GivenCredentials {
  user: Uint8Array;
  password: Uint8Array;
}

/** Whether credentials are correct. */
export type Authorize = (given: GivenCredentials) => boolean;

/** The `Proxy-Authenticate` challenge (RFC 7617 sections 2 and 2.1); browsers show the realm when they ask. */
export const CHALLENGE = 'Basic realm="Sallyport proxy", charset="UTF-8"';

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;
const COLON = 0x3a;

/** Creates the check. Its duration reveals nothing about the correct credentials, not even their length. */
export function createAuthorize({ user, password }: Credentials): Authorize {
  const [correctUser, correctPassword] = [digest(user), digest(password)];
  return (given) => {
    const sameUser = timingSafeEqual(digest(given.user), correctUser);
    const samePassword = timingSafeEqual(digest(given.password), correctPassword);
    return sameUser && samePassword;
  };
}

/** Reads `Proxy-Authorization: Basic …` (RFC 7617); undefined unless there is exactly one valid field. */
export function basicCredentials(headers: HeaderList): GivenCredentials | undefined {
  const values = headerValues(headers, "proxy-authorization");
  const [, token] = values.length === 1 ? BASIC.exec(values[0]!) ?? [] : [];
  if (token === undefined) return undefined;
  const bytes = Buffer.from(token, "base64");
  const colon = bytes.indexOf(COLON);
  if (colon < 0) return undefined;
  return { user: bytes.subarray(0, colon), password: bytes.subarray(colon + 1) };
}

/** Digests have equal length, as `timingSafeEqual` requires. */
function digest(text: string | Uint8Array): Uint8Array {
  return createHash("sha256").update(text).digest();
}
