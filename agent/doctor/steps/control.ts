import { SallyportError } from "../../../shared/errors.ts";
import { type WebAnswer, webRequest } from "../../../shared/tls/web_request.ts";
import { clockAheadBy } from "../clock_ahead.ts";
import { fail, type Finding, pass } from "../finding.ts";
import type { Step } from "../step.ts";

const MAX_BYTES = 1_048_576;

/**
 * Does a site answer that everybody can reach? Nothing of the tunnel needs it, and some networks let out nothing but
 * the tunnel: it explains why other things are not reached, and tells the time.
 */
export const control: Step = {
  name: "control",
  needs: ["configuration", "proxy"],
  explains: ["dns", "wake", "refused", "silent", "reset", "unreachable", "not_tls"],
  async look(found) {
    const { control: url, timeoutMs } = found.options;
    const via = found.via({ host: url.hostname, port: Number(url.port) || 80 });
    const sent = Date.now();
    try {
      const answer = await webRequest({ url, method: "GET", timeoutMs, maxBytes: MAX_BYTES, via });
      found.clockAhead = clockAheadBy(answer.headers, { sent, received: Date.now() });
      return judged(answer, url, Date.now() - sent);
    } catch (error) {
      return fail("network", SallyportError.from(error).message);
    }
  },
};

/** 511 is what RFC 6585 section 6 has for it; most portals redirect to a page of theirs. */
function judged({ status, headers }: WebAnswer, url: URL, took: number): Finding {
  const to = headers["location"] === undefined ? undefined : URL.parse(headers["location"], url)?.host;
  const isElsewhere = status >= 300 && status < 400 && to !== undefined && !isKin(to, url.host);
  if (status === 511 || isElsewhere) {
    return fail(
      "captive_portal",
      `${url.host} answers ${status}${to === undefined ? "" : ` and sends to ${to}`}`,
    );
  }
  return pass(`${url.host} answers ${status} after ${took} ms`);
}

/** Many a site sends to its name with or without "www.". */
function isKin(one: string, other: string): boolean {
  return one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`);
}
