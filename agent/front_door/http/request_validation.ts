import type { IncomingMessage } from "node:http";
import { SallyportError } from "../../../shared/errors.ts";
import { headerValues } from "../../../shared/http/headers.ts";
import type { HeaderList } from "../../../shared/protocol/messages.ts";
import { TOKEN } from "../../../shared/protocol/shape.ts";
import { type Authorize, basicCredentials } from "../client/proxy_auth.ts";
import { parseAuthority } from "../client/request_authority.ts";
import { RequestError } from "../refusals/request_error.ts";

/** What a request may be. */
export interface RequestPolicy {
  /** Whether it may have content; CONNECT and upgrades have none (RFC 9110 sections 7.8 and 9.3.6). */
  mayHaveContent: boolean;
  /** Checks credentials; without it none are needed. */
  authorize: Authorize | undefined;
}

/**
 * Validates the head of a request before anything is done for it: rejects what node:http's parser accepts although it
 * is ambiguous, and checks the client's credentials.
 *
 * @throws RequestError 400, 407, 501 or 505
 */
export function validateRequest(
  request: IncomingMessage,
  { mayHaveContent, authorize }: RequestPolicy,
): void {
  requireVersion(request);
  requireOneHost(request.rawHeaders);
  requireKnownLength(request, mayHaveContent);
  if (authorize !== undefined) requireCredentials(request.rawHeaders, authorize);
}

/** The parser also accepts HTTP/0.9, which has no heads, and HTTP/2.0, which is not a text protocol. */
function requireVersion({ httpVersion }: IncomingMessage): void {
  if (httpVersion === "1.1" || httpVersion === "1.0") return;
  throw new RequestError(`Cannot serve HTTP/${httpVersion}: only HTTP/1.1 and HTTP/1.0 are supported`, {
    status: 505,
    advice: "Use HTTP/1.1",
  });
}

/**
 * RFC 9112 section 3.2: at most one `Host`, with a valid host. It is replaced by the URL's host anyway, but a device
 * that saw this request before may have relied on another one.
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
    throw new RequestError(`Cannot serve this request: invalid Host: ${SallyportError.from(reason).message}`);
  }
}

/** RFC 9112 section 6.3: there must be no doubt where the request ends. */
function requireKnownLength({ rawHeaders, httpVersion }: IncomingMessage, mayHaveContent: boolean): void {
  const codings = headerValues(rawHeaders, "transfer-encoding");
  const lengths = headerValues(rawHeaders, "content-length");
  if (codings.length > 0) requirePlainChunks(codings.join(","), httpVersion);
  // The parser accepts any 64-bit length.
  if (!lengths.every((length) => Number.isSafeInteger(Number(length)))) {
    throw new RequestError(`Cannot forward the body: its length is ${lengths.join(", ")}`);
  }
  if (!mayHaveContent && (codings.length > 0 || lengths.some((length) => Number(length) > 0))) {
    throw new RequestError("Cannot serve this request: CONNECT and upgrade requests must not have content");
  }
}

function requirePlainChunks(text: string, httpVersion: string): void {
  if (httpVersion === "1.0") {
    throw new RequestError("Cannot forward the body: HTTP/1.0 has no Transfer-Encoding");
  }
  const codings = text.split(",").map((coding) => coding.trim().toLowerCase());
  if (codings.length === 1 && codings[0] === "chunked") return;
  // A final "chunked" shows where the body ends, whatever the other codings are; without it nothing does.
  const hasKnownEnd = codings.at(-1) === "chunked" && codings.every((coding) => TOKEN.test(coding));
  throw new RequestError(
    `Cannot forward the body: its transfer coding is ${codings.join(", ")}, only chunked is supported`,
    { status: hasKnownEnd ? 501 : 400 },
  );
}

function requireCredentials(headers: HeaderList, authorize: Authorize): void {
  const given = basicCredentials(headers);
  if (given !== undefined && authorize(given)) return;
  const reason = given === undefined ? "the request has none" : "they are wrong";
  throw new RequestError(`Cannot serve this request without valid proxy credentials: ${reason}`, {
    status: 407,
    type: "http_request_denied",
    what: "this proxy requires a user name and a password",
    advice: "Configure the user name and password of local_proxy_auth in your program's proxy settings",
  });
}
