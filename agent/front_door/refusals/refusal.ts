import { printable, truncate } from "../../../shared/text/sanitize.ts";
import { STATUS_CODES } from "node:http";
import { agentCommand } from "../../../shared/cli/command_line.ts";
import type { SallyportError } from "../../../shared/errors.ts";
import type { HeaderList } from "../../../shared/protocol/messages.ts";
import { pageHeaders } from "../../pages/html.ts";
import { preferredType } from "../../pages/preferred_type.ts";
import { troubleshootingUrl } from "../../pages/troubleshooting.ts";
import { CHALLENGE } from "../client/proxy_auth.ts";
import { refusalPage } from "./refusal_page.ts";
import { LOCAL_REFUSAL_RULES, REFUSAL_RULES, type RefusalRule } from "./refusal_rules.ts";
import { RequestError } from "./request_error.ts";

/** Characters of a message that are shown. */
const MAX_DETAILS = 500;

/** An HTTP response that explains why a request was not served. */
export interface Refusal {
  status: number;
  reason: string;
  headers: HeaderList;
  body: string;
}

/** What is known about the refused request besides the error. */
export interface RefusalDetails {
  /** The target as the client wrote it. */
  target?: string;
  /** The request's `Accept` field, which selects text, JSON or HTML. @default {text} */
  accept?: string | undefined;
  /** Milliseconds after which trying again makes sense, sent as `Retry-After` with 503. */
  retryAfterMs?: number | undefined;
  /** The request's method; a page for browsers offers to repeat a `GET`. @default {unknown} */
  method?: string | undefined;
  /** The console's URL for this client. @default {not reachable} */
  console?: string | undefined;
  /** Overrides the texts of the error code when a more specific one applies. @default {none} */
  rule?: Partial<Pick<RefusalRule, "what" | "advice">> | undefined;
}

/** Creates the response to a request that failed with `error`. */
export function createRefusal(error: SallyportError, details: RefusalDetails = {}): Refusal {
  const request = error instanceof RequestError ? error.rule : undefined;
  const local = error.at === "here" ? LOCAL_REFUSAL_RULES[error.code] : undefined;
  const rule = { ...REFUSAL_RULES[error.code], ...local, ...request, ...details.rule };
  const { status } = rule;
  const reason = STATUS_CODES[status] ?? "Error";
  const retryAfter = status === 503 ? retryAfterSeconds(details) : undefined;
  const page = refusalPage(preferredType(details.accept), {
    status,
    reason,
    target: details.target === undefined ? "this request" : printable(truncate(details.target, MAX_DETAILS)),
    what: rule.what,
    where: PLACES[rule.where],
    details: printable(truncate(error.message, MAX_DETAILS)),
    code: error.code,
    advice: rule.advice.replace("{doctor}", () => agentCommand("doctor", undefined)),
    more: troubleshootingUrl(error.code, details.console),
  }, { canRetry: status >= 500 && details.method === "GET", retryInSeconds: retryAfter });
  const { body } = page;
  const headers = [...pageHeaders(page), "Proxy-Status", proxyStatus(rule.type, error)];
  if (retryAfter !== undefined) headers.push("Retry-After", String(retryAfter));
  if (status === 407) headers.push("Proxy-Authenticate", CHALLENGE);
  return { status, reason, headers, body };
}

/** `Retry-After` takes whole seconds (RFC 9110 section 10.2.3); rounded up, because retrying early fails again. */
function retryAfterSeconds({ retryAfterMs }: RefusalDetails): number | undefined {
  return retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1000));
}

const PLACES = {
  agent: "the agent, on this machine",
  tunnel: "the tunnel between agent and server",
  server: "the server",
  target: "the target",
};

/** RFC 9209 section 2: an sf-item with parameters. */
function proxyStatus(type: string, error: SallyportError): string {
  return `sallyport; error=${type}; details=${sfString(`${error.code}: ${error.message}`)}`;
}

/** An sf-string (RFC 8941 section 3.3.3): printable ASCII, quotes and backslashes escaped. */
function sfString(text: string): string {
  const ascii = text.slice(0, MAX_DETAILS).replace(/[^\x20-\x7e]/g, "?");
  return `"${ascii.replace(/["\\]/g, "\\$&")}"`;
}
