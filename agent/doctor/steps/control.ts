import { addressOf } from "../../../shared/tls/upstream_proxy.ts";
import { SallyportError } from "../../../shared/errors.ts";
import { type WebAnswer, webRequest } from "../../../shared/tls/web_request.ts";
import { clockAheadBy } from "../clock_ahead.ts";
import { CONTROL_SITE, CONTROL_WORDS } from "../control_site.ts";
import { fail, type Finding, pass, skip } from "../finding.ts";
import type { Step } from "../step.ts";

/** Bytes of an answer that are looked at. */
const ENOUGH = 65_536;

/**
 * Does a site answer that everybody can reach? Nothing of the tunnel needs it, and some networks let out nothing but
 * the tunnel: it explains why other things are not reached, and tells the time.
 */
export const control: Step = {
  name: "control",
  needs: ["configuration"],
  isAdvisory: true,
  async look(found) {
    if (found.proxyProblem === "proxy_unreachable") return skip("without the proxy there is no way to it");
    const { control: url, timeoutMs } = found.options;
    const sent = Date.now();
    try {
      const limits = { timeoutMs, maxBytes: ENOUGH, mayBeCut: true };
      const answer = await webRequest({ url, method: "GET", ...limits, via: found.via(addressOf(url)) });
      const received = Date.now();
      found.clockAhead = clockAheadBy(answer.headers, { sent, received });
      if (isPortal(answer, url)) {
        found.controlProblem = "captive_portal";
        return fail("captive_portal", `in place of ${url.host} somebody answers ${shown(answer, url)}`);
      }
      return judged(answer.status, url, received - sent);
    } catch (error) {
      found.controlProblem = "network";
      return fail("network", SallyportError.from(error).message);
    }
  },
};

/** Portals redirect to a page of theirs, or show it at once; 511 is what RFC 6585 section 6 has for them. */
function isPortal({ status, headers, body }: WebAnswer, url: URL): boolean {
  if (status === 511) return true;
  if (status >= 300 && status < 400) {
    const to = URL.parse(headers["location"] ?? "", url)?.hostname;
    return to !== undefined && !isKin(to, url.hostname);
  }
  return status === 200 && url.href === CONTROL_SITE.href && !body.includes(CONTROL_WORDS);
}

/** What is no answer of the site itself tells neither that there is a way to it nor that there is none. */
function judged(status: number, { host }: URL, took: number): Finding {
  if (status >= 400) {
    return skip(`${host} answers ${status}, or somebody on the way to it, which tells nothing`);
  }
  return pass(`${host} answers ${status} after ${took} ms`);
}

/** Many a site sends to its name with or without "www.". */
function isKin(one: string, other: string): boolean {
  return one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`);
}

function shown({ status, headers }: WebAnswer, url: URL): string {
  const to = URL.parse(headers["location"] ?? "", url)?.host;
  return status >= 300 && status < 400 ? `${status} and sends to ${to}` : `${status}`;
}
