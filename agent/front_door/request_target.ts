import { SallyportError } from "../../shared/errors.ts";
import { type Authority, parseAuthority } from "./authority.ts";

/** Where a request to the proxy wants to go. */
export interface RequestTarget extends Authority {
  /** The authority as the client wrote it, for `Host`. */
  authority: string;
  /** Path and query for the origin, as the client wrote them; `*` for an `OPTIONS` of the whole server. */
  path: string;
}

/** Why a request's target cannot be served, with the status that says so. */
export class RequestTargetError extends SallyportError {
  constructor(message: string, readonly status: 400 | 501) {
    super("bad_request", message);
  }
}

const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)/;

/**
 * Reads an absolute-form request target (RFC 9112 section 3.2.2). The path is not normalised: what the
 * client wrote is what the origin gets.
 * @param method The request's method.
 * @param text The request target.
 * @param schemes Those that may be asked for, in lower case.
 * @throws RequestTargetError for any other form, and for a scheme that needs a tunnel.
 */
export function parseRequestTarget(method: string, text: string, schemes: readonly string[]): RequestTarget {
  const [, scheme = "", authority = "", rest = ""] = ABSOLUTE.exec(text) ?? [];
  if (scheme === "") {
    throw new RequestTargetError(
      "Cannot serve this request: this is a proxy, and requests to it name a whole URL such as " +
        "GET http://example.com/ (set it as the HTTP proxy of your program instead of visiting it)",
      400,
    );
  }
  if (!schemes.includes(scheme.toLowerCase())) throw wrongScheme(scheme.toLowerCase());
  try {
    return { ...parseAuthority(authority, 80), authority, path: originPath(method, rest) };
  } catch (reason) {
    throw new RequestTargetError(SallyportError.from(reason).message, 400);
  }
}

/** RFC 9112 sections 3.2.1 and 3.2.4. */
function originPath(method: string, rest: string): string {
  if (rest === "") return method === "OPTIONS" ? "*" : "/";
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function wrongScheme(scheme: string): RequestTargetError {
  if (scheme === "https" || scheme === "wss") {
    return new RequestTargetError(
      `Cannot serve ${scheme}:// in a plain request: encrypted targets need CONNECT, so that the proxy ` +
        "cannot read them",
      501,
    );
  }
  return new RequestTargetError(`Cannot serve scheme ${scheme}: only http is known`, 501);
}
