import {
  definition,
  type EncodedPage,
  escapeHtml,
  htmlPage,
  link,
  plainPage,
  withCode,
  withoutBackticks,
} from "../../pages/html.ts";
import type { PageType } from "../../pages/preferred_type.ts";

/** The contents of a page; every text is one line without control characters. */
export interface RefusalFacts {
  readonly status: number;
  readonly reason: string;
  /** What the client requested. */
  readonly target: string;
  /** What failed, as part of a sentence. */
  readonly what: string;
  /** Where it failed, as part of a sentence. */
  readonly where: string;
  /** The error message. */
  readonly details: string;
  /** Error code (SPEC.md 6). */
  readonly code: string;
  /** What the user can do; backticks mark code. */
  readonly advice: string;
  /** Where the error is documented: a URL at the agent's console, or a file. */
  readonly more: string;
}

/** How a page offers to repeat the request. */
export interface RefusalRetry {
  /** Whether the page has a link to try again. */
  readonly canRetry: boolean;
  /** Seconds after which the page reloads itself. @default {never} */
  readonly retryInSeconds?: number | undefined;
}

/** Writes a refusal in the type that the client prefers. */
export function refusalPage(type: PageType, facts: RefusalFacts, retry: RefusalRetry): EncodedPage {
  switch (type) {
    case "text/plain":
      return plainPage(text(facts));
    case "application/json": {
      const error = { ...facts, advice: withoutBackticks(facts.advice) };
      return { body: `${JSON.stringify({ error })}\n`, contentType: "application/json", headers: {} };
    }
    case "text/html":
      return html(facts, retry);
  }
}

function text({ status, reason, target, what, where, details, code, advice, more }: RefusalFacts): string {
  return [
    `${status} ${reason}`,
    "",
    `Sallyport could not serve ${target}`,
    "",
    `What failed: ${what}`,
    `Where:       ${where}`,
    `Details:     ${details} (${code})`,
    `More:        ${more}`,
    `What to do:  ${withoutBackticks(advice)}`,
    "",
  ].join("\n");
}

function html(facts: RefusalFacts, { canRetry, retryInSeconds }: RefusalRetry): EncodedPage {
  const { status, reason, target, what, where, details, code, advice, more } = facts;
  const headline = `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  const list = [
    definition("Where", escapeHtml(where)),
    definition("What to do", withCode(advice)),
    definition("Details", escapeHtml(details)),
    definition("More", more.startsWith("http:") ? link(more, `Troubleshooting: ${code}`) : escapeHtml(more)),
  ];
  const hasCountdown = canRetry && retryInSeconds !== undefined;
  return htmlPage({
    title: headline,
    main: `<h1>${escapeHtml(headline)}</h1><p>Sallyport could not serve <b>${escapeHtml(target)}</b>.</p>` +
      `${canRetry ? retryLink(retryInSeconds) : ""}<dl>${list.join("")}</dl>` +
      `<p><small>${status} ${escapeHtml(reason)}, ${escapeHtml(code)}</small></p>`,
    // With scripts, a countdown that can be stopped replaces the refresh.
    ...hasCountdown
      ? {
        head: `<noscript><meta http-equiv="refresh" content="${retryInSeconds}"></noscript>`,
        script: COUNTDOWN,
      }
      : {},
  });
}

/** An empty `href` is the page's own URL, including its query. */
function retryLink(seconds: number | undefined): string {
  const countdown = seconds === undefined
    ? ""
    : ` <span id="countdown" data-seconds="${seconds}"></span> <button id="stop" type="button" hidden>Stop</button>`;
  return `<p><a id="retry" href="">Try again</a>${countdown}</p>`;
}

/** A hidden tab does not keep retrying, which could wake a sleeping server. */
const COUNTDOWN = `(() => {
  const countdown = document.getElementById("countdown");
  const stop = document.getElementById("stop");
  let left = Number(countdown.dataset.seconds);
  const show = () => { countdown.textContent = left === 1 ? "in 1 second" : "in " + left + " seconds"; };
  const timer = setInterval(() => {
    if (document.hidden || --left > 0) return show();
    clearInterval(timer);
    location.reload();
  }, 1000);
  stop.addEventListener("click", () => {
    clearInterval(timer);
    countdown.textContent = "";
    stop.hidden = true;
  });
  stop.hidden = false;
  show();
})();`;
