import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { headerValues } from "../../shared/http/headers.ts";
import type { HeaderList } from "../../shared/protocol/messages.ts";

/** Whom the front door serves. */
export interface Credentials {
  /** Without a colon. */
  readonly user: string;
  readonly password: string;
}

/** Credentials as a client sent them. */
export interface GivenCredentials {
  user: Uint8Array;
  password: Uint8Array;
}

/** Tells whether credentials are the right ones. */
export type Authorize = (given: GivenCredentials) => boolean;

/** What `Proxy-Authenticate` asks for (RFC 7617 sections 2 and 2.1). */
export const CHALLENGE = 'Basic realm="sallyport", charset="UTF-8"';

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;
const COLON = 0x3a;

/** Makes the check. How long it takes tells nothing about the right credentials, not even how long they are. */
export function createAuthorize({ user, password }: Credentials): Authorize {
  const [rightUser, rightPassword] = [digest(user), digest(password)];
  return (given) => {
    const sameUser = timingSafeEqual(digest(given.user), rightUser);
    const samePassword = timingSafeEqual(digest(given.password), rightPassword);
    return sameUser && samePassword;
  };
}

/** Reads `Proxy-Authorization: Basic …` (RFC 7617); undefined where there is not exactly one that can be read. */
export function basicCredentials(headers: HeaderList): GivenCredentials | undefined {
  const values = headerValues(headers, "proxy-authorization");
  const [, token] = values.length === 1 ? BASIC.exec(values[0]!) ?? [] : [];
  if (token === undefined) return undefined;
  const bytes = Buffer.from(token, "base64");
  const colon = bytes.indexOf(COLON);
  if (colon < 0) return undefined;
  return { user: bytes.subarray(0, colon), password: bytes.subarray(colon + 1) };
}

/** Digests are of one length, which is what `timingSafeEqual` needs. */
function digest(text: string | Uint8Array): Uint8Array {
  return createHash("sha256").update(text).digest();
}
