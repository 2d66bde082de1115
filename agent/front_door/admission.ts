import type { IncomingMessage } from "node:http";
import { SallyportError } from "../../shared/errors.ts";
import { headerValues } from "../../shared/http/headers.ts";
import type { HeaderList } from "../../shared/protocol/messages.ts";
import { TOKEN } from "../../shared/protocol/shape.ts";
import { parseAuthority } from "./authority.ts";
import { type Authorize, basicCredentials } from "./proxy_auth.ts";
import { RequestError } from "./request_error.ts";

/** What a request may be. */
export interface AdmissionRules {
  /** Whether it may have content; a request for a tunnel has none (RFC 9110 sections 7.8 and 9.3.6). */
  mayHaveContent: boolean;
  /** Who may ask; everybody where it is undefined. */
  authorize: Authorize | undefined;
}

/**
 * Judges a request's head before anything is done for it: what node:http's parser lets pass, although it could
 * be read in two ways, and whether the client may ask at all.
 *
 * @throws RequestError 400, 407, 501 or 505
 */
export function admit(request: IncomingMessage, { mayHaveContent, authorize }: AdmissionRules): void {
  requireVersion(request);
  requireOneHost(request.rawHeaders);
  requireKnownEnd(request, mayHaveContent);
  if (authorize !== undefined) requireCredentials(request.rawHeaders, authorize);
}

/** The parser knows HTTP/0.9, which has no heads, and HTTP/2.0, which nobody speaks in text. */
function requireVersion({ httpVersion }: IncomingMessage): void {
  if (httpVersion === "1.1" || httpVersion === "1.0") return;
  throw new RequestError(`Cannot serve HTTP/${httpVersion}: only HTTP/1.1 and HTTP/1.0 are known`, {
    status: 505,
    advice: "Use HTTP/1.1",
  });
}

/**
 * RFC 9112 section 3.2: one `Host` at most, and it names a host. It is written anew from the URL all the same;
 * but whoever looked at this request before may have gone by another one.
 */
function requireOneHost(headers: HeaderList): void {
  const hosts = headerValues(headers, "host");
  if (hosts.length > 1) {
    throw new RequestError(`Cannot serve this request: it has ${hosts.length} Host fields`);
  }
  const [host = ""] = hosts;
  if (host === "") return;
  try {
    parseAuthority(host, 80);
  } catch (reason) {
    throw new RequestError(`Cannot serve this request: bad Host: ${SallyportError.from(reason).message}`);
  }
}

/** RFC 9112 section 6.3: where the request ends must be beyond doubt. */
function requireKnownEnd({ rawHeaders, httpVersion }: IncomingMessage, mayHaveContent: boolean): void {
  const codings = headerValues(rawHeaders, "transfer-encoding");
  const lengths = headerValues(rawHeaders, "content-length");
  if (codings.length > 0) requirePlainChunks(codings.join(","), httpVersion);
  // The parser takes any 64 bits.
  if (!lengths.every((length) => Number.isSafeInteger(Number(length)))) {
    throw new RequestError(`Cannot pass the body on: its length is ${lengths.join(", ")}`);
  }
  if (!mayHaveContent && (codings.length > 0 || lengths.some((length) => Number(length) > 0))) {
    throw new RequestError(
      "Cannot serve this request: it asks for a tunnel and announces content of its own",
    );
  }
}

function requirePlainChunks(text: string, httpVersion: string): void {
  if (httpVersion === "1.0") {
    throw new RequestError("Cannot pass the body on: HTTP/1.0 knows no Transfer-Encoding");
  }
  const codings = text.split(",").map((coding) => coding.trim().toLowerCase());
  if (codings.length === 1 && codings[0] === "chunked") return;
  // Chunks at the end tell where the body ends, whatever else was done to it; otherwise nothing does.
  const known = codings.at(-1) === "chunked" && codings.every((coding) => TOKEN.test(coding));
  throw new RequestError(
    `Cannot pass the body on: its transfer coding is ${codings.join(", ")}, only chunked is known`,
    { status: known ? 501 : 400 },
  );
}

function requireCredentials(headers: HeaderList, authorize: Authorize): void {
  const given = basicCredentials(headers);
  if (given !== undefined && authorize(given)) return;
  const problem = given === undefined ? "there are none for this proxy" : "they are not the right ones";
  throw new RequestError(`Cannot serve this request without user name and password: ${problem}`, {
    status: 407,
    type: "http_request_denied",
    what: "this proxy serves only those who give a user name and a password",
    advice: "Give your program the user name and the password of local_proxy_auth",
  });
}
