import { headerValues, removeHopByHop, withoutHeaders } from "../../../shared/http/headers.ts";
import type { HeaderList } from "../../../shared/protocol/messages.ts";

const CONTENT_LENGTH: ReadonlySet<string> = new Set(["content-length"]);
const FOR_THE_PROXY: ReadonlySet<string> = new Set([
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
]);

/** The fields of a plain request that are forwarded, with the `Host` of its URL (RFC 9112 section 3.2.2). */
export function requestHeaders(raw: HeaderList, authority: string): HeaderList {
  const kept = withHost(removeHopByHop(raw), authority);
  // RFC 9112 section 6.3: chunked coding overrides a length; forwarding both allows request smuggling.
  return headerValues(raw, "transfer-encoding").length > 0 ? withoutHeaders(kept, CONTENT_LENGTH) : kept;
}

/** The fields of an upgrade request that are forwarded; `Connection` and `Upgrade` are for the origin. */
export function upgradeHeaders(raw: HeaderList, authority: string): HeaderList {
  return withHost(withoutHeaders(raw, FOR_THE_PROXY), authority);
}

/** Replaces the first `Host` with `authority`, or adds it in front (RFC 9110 section 7.2). */
function withHost(headers: HeaderList, authority: string): HeaderList {
  const result: HeaderList = [];
  let found = false;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const isHost = headers[i]!.toLowerCase() === "host";
    if (!isHost) result.push(headers[i]!, headers[i + 1]!);
    else if (!found) result.push(headers[i]!, authority);
    found ||= isHost;
  }
  return found ? result : ["Host", authority, ...result];
}
