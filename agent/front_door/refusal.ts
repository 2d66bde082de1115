import { OBEYED } from "../../shared/display_json.ts";
import { Buffer } from "node:buffer";
import { STATUS_CODES } from "node:http";
import type { SallyportError } from "../../shared/errors.ts";
import type { HeaderList } from "../../shared/protocol/messages.ts";
import { HERE_RULES } from "./here_rules.ts";
import { preferredType } from "./preferred_type.ts";
import { CHALLENGE } from "./proxy_auth.ts";
import { refusalPage } from "./refusal_page.ts";
import { REFUSAL_RULES } from "./refusal_rules.ts";
import { RequestError } from "./request_error.ts";

/** Characters of a message that are told. */
const MAX_DETAILS = 500;

/** An HTTP response that says why a request was not served. */
export interface Refusal {
  status: number;
  reason: string;
  headers: HeaderList;
  body: string;
}

/** What else is known about the refused request. */
export interface RefusalDetails {
  /** What the client asked for, as it wrote it. */
  target?: string;
  /** The request's field `Accept`, which decides between text, JSON and HTML. @default {text} */
  accept?: string | undefined;
  /** Milliseconds after which it makes sense to try again, sent as `Retry-After` with 503. */
  retryAfterMs?: number | undefined;
}

/** Builds the response for a request that failed with `error`. */
export function refusalOf(error: SallyportError, details: RefusalDetails = {}): Refusal {
  const own = error instanceof RequestError ? error.rule : undefined;
  const here = error.at === "here" ? HERE_RULES[error.code] : undefined;
  const rule = { ...REFUSAL_RULES[error.code], ...here, ...own };
  const { status } = rule;
  const reason = STATUS_CODES[status] ?? "Error";
  const page = refusalPage(preferredType(details.accept), {
    status,
    reason,
    target: details.target === undefined ? "this request" : printable(details.target),
    what: rule.what,
    where: PLACES[rule.where],
    details: printable(error.message),
    code: error.code,
    advice: rule.advice,
    more: `docs/troubleshooting.md#${error.code}`,
  });
  const { body } = page;
  const headers = [
    ...page.headers,
    ["Content-Length", String(Buffer.byteLength(body))],
    ["Cache-Control", "no-store"],
    ["X-Content-Type-Options", "nosniff"],
    // A cache that stands before this must not give one client's kind of page to another.
    ["Vary", "Accept"],
    ["Proxy-Status", proxyStatus(rule.type, error)],
  ].flat();
  if (status === 503 && details.retryAfterMs !== undefined) {
    // RFC 9110 section 10.2.3 has whole seconds; too early would only fail again.
    headers.push("Retry-After", String(Math.max(1, Math.ceil(details.retryAfterMs / 1000))));
  }
  if (status === 407) headers.push("Proxy-Authenticate", CHALLENGE);
  return { status, reason, headers, body };
}

const PLACES = {
  agent: "the agent, on this machine",
  tunnel: "the tunnel between agent and server",
  server: "the server",
  target: "the target",
};

/** RFC 9209 section 2: an sf-item with parameters. */
function proxyStatus(type: string, error: SallyportError): string {
  return `sallyport; error=${type}; details=${quote(`${error.code}: ${error.message}`)}`;
}

/** An sf-string (RFC 8941 section 3.3.3): printable ASCII, quotes and backslashes escaped. */
function quote(text: string): string {
  const ascii = text.slice(0, MAX_DETAILS).replace(/[^\x20-\x7e]/g, "?");
  return `"${ascii.replace(/["\\]/g, "\\$&")}"`;
}

/** One line without control and hidden characters: the text may be a stranger's. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.slice(0, MAX_DETAILS).replace(/[\x00-\x1f]/g, "?").replace(OBEYED, "?");
}
