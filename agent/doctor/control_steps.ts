import { SallyportError } from "../../shared/errors.ts";
import { addressOf } from "../upstream/upstream_proxy.ts";
import { type WebAnswer, webRequest } from "../upstream/web_request.ts";
import { CONTROL_SITE } from "./context.ts";
import { fail, type Finding, pass, skip, type Step } from "./step.ts";

/** Bytes of an answer that are read. */
const MAX_BYTES = 65_536;
/** Words of the default control site's page; a captive portal's page does not contain them. */
const CONTROL_WORDS = "Example Domain";
/** A clock may be off by this many milliseconds. */
const TOLERANCE = 30_000;

/**
 * Does a public site answer? The tunnel does not need it, and some networks allow nothing else out: this step explains
 * why other things cannot be reached, and learns the time.
 */
export const control: Step = {
  name: "control",
  needs: ["configuration"],
  isAdvisory: true,
  async run(diagnosis) {
    if (diagnosis.proxyProblem === "proxy_unreachable") return skip("not reachable without the proxy");
    const { control: url, timeoutMs } = diagnosis.options;
    const sent = Date.now();
    try {
      const limits = { timeoutMs, maxBytes: MAX_BYTES, mayBeCut: true };
      const answer = await webRequest({ url, method: "GET", ...limits, via: diagnosis.via(addressOf(url)) });
      const received = Date.now();
      diagnosis.clockAheadMs = clockAheadBy(answer.headers, { sent, received });
      if (isCaptivePortal(answer, url)) {
        diagnosis.controlProblem = "captive_portal";
        return fail("captive_portal", `another host answered for ${url.host}: ${answerText(answer, url)}`);
      }
      return controlFinding(answer.status, url, received - sent);
    } catch (error) {
      diagnosis.controlProblem = "network";
      return fail("network", SallyportError.from(error).message);
    }
  },
};

/** Portals redirect to their own page or show it right away; RFC 6585 section 6 gives them status 511. */
function isCaptivePortal({ status, headers, body }: WebAnswer, url: URL): boolean {
  if (status === 511) return true;
  if (status >= 300 && status < 400) {
    const to = URL.parse(headers["location"] ?? "", url)?.hostname;
    return to !== undefined && !isSameSite(to, url.hostname);
  }
  return status === 200 && url.href === CONTROL_SITE.href && !body.includes(CONTROL_WORDS);
}

/** An error status may come from the site or from something on the path, so it proves nothing. */
function controlFinding(status: number, { host }: URL, tookMs: number): Finding {
  if (status >= 400) return skip(`${host} or something on the path answered ${status}, which proves nothing`);
  return pass(`${host} answered ${status} after ${tookMs} ms`);
}

/** Many sites redirect between their name with and without "www.". */
function isSameSite(one: string, other: string): boolean {
  return one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`);
}

function answerText({ status, headers }: WebAnswer, url: URL): string {
  const to = URL.parse(headers["location"] ?? "", url)?.host;
  return status >= 300 && status < 400 ? `${status}, redirect to ${to}` : `${status}`;
}

/**
 * How far this machine's clock is ahead of the answering host's, by the field `Date` (RFC 9110 section 6.6.1), in
 * milliseconds. A cache sends the origin's `Date` or its own, so the actual time is between it and `Age` (RFC 9111
 * section 5.1) later.
 *
 * @param times When the request was sent and its answer received, by this machine's clock.
 * @returns The difference that is certain: 0 if the clock may be right; undefined if the answer has no date.
 */
export function clockAheadBy(
  headers: Readonly<Record<string, string | undefined>>,
  { sent, received }: { sent: number; received: number },
): number | undefined {
  const date = Date.parse(headers["date"] ?? "");
  if (Number.isNaN(date)) return undefined;
  const age = Number(headers["age"] ?? 0);
  // The field has a resolution of one second.
  const latest = date + (Number.isFinite(age) && age > 0 ? age * 1_000 : 0) + 1_000;
  if (sent > latest) return sent - latest;
  return received < date ? received - date : 0;
}

/** Is this machine's clock right? The tunnel may work with a wrong one; it explains other problems. */
export const clock: Step = {
  name: "clock",
  needs: ["configuration"],
  isAdvisory: true,
  run: ({ clockAheadMs }) => Promise.resolve(clockFinding(clockAheadMs)),
};

function clockFinding(aheadMs: number | undefined): Finding {
  if (aheadMs === undefined) return skip("no answer carried the time");
  if (Math.abs(aheadMs) <= TOLERANCE) return pass("this machine's clock is right to within 30 s");
  return fail("clock", `this machine's clock is ${offsetText(aheadMs)} the control site's`);
}

function offsetText(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  const [count, unit] = seconds < 120
    ? [seconds, "seconds"]
    : seconds < 7_200
    ? [Math.round(seconds / 60), "minutes"]
    : seconds < 172_800
    ? [Math.round(seconds / 3_600), "hours"]
    : [Math.round(seconds / 86_400), "days"];
  return `${count} ${unit} ${aheadMs > 0 ? "ahead of" : "behind"}`;
}
