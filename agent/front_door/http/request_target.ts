import { SallyportError } from "../../../shared/errors.ts";
import { type Authority, parseAuthority } from "../client/request_authority.ts";
import { RequestError } from "../refusals/request_error.ts";

/** The target of a proxy request. */
export interface RequestTarget extends Authority {
  /** The authority as the client wrote it, for `Host`. */
  authority: string;
  /** Path and query for the origin, as the client wrote them; `*` for an `OPTIONS` of the whole server. */
  path: string;
}

const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)/;

/**
 * Parses an absolute-form request target (RFC 9112 section 3.2.2). The path is not normalised: the origin gets what
 * the client wrote.
 *
 * @param method The request's method.
 * @param text The request target.
 * @param schemes Accepted schemes, in lower case.
 * @throws RequestError for any other form, and for a scheme that needs `CONNECT`.
 */
export function parseRequestTarget(method: string, text: string, schemes: readonly string[]): RequestTarget {
  const [, scheme = "", authority = "", rest = ""] = ABSOLUTE.exec(text) ?? [];
  if (scheme === "") {
    throw new RequestError(
      "Cannot serve this request: this is a proxy, which needs a full URL such as GET http://example.com/ " +
        "(set it as the HTTP proxy of your program instead of opening it)",
    );
  }
  if (!schemes.includes(scheme.toLowerCase())) throw unsupportedScheme(scheme.toLowerCase());
  try {
    return { ...parseAuthority(authority, 80), authority, path: originPath(method, rest) };
  } catch (reason) {
    throw new RequestError(SallyportError.from(reason).message);
  }
}

/** RFC 9112 sections 3.2.1 and 3.2.4. */
function originPath(method: string, rest: string): string {
  if (rest === "") return method === "OPTIONS" ? "*" : "/";
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function unsupportedScheme(scheme: string): RequestError {
  if (scheme === "https" || scheme === "wss") {
    return new RequestError(
      `Cannot serve ${scheme}:// in a plain request: encrypted targets need CONNECT, so that the proxy ` +
        "cannot read the traffic",
      { status: 501 },
    );
  }
  return new RequestError(`Cannot serve scheme ${scheme}: only http is supported`, { status: 501 });
}
