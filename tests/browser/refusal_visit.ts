import type { Browser, Page } from "puppeteer-core";

/** The appearances in which a page is loaded. */
export const APPEARANCES = ["light", "dark", "without JavaScript"] as const;

/** One of {@linkcode APPEARANCES}. */
export type Appearance = typeof APPEARANCES[number];

/** A text of a page as it is drawn, with the computed colours. */
export interface DrawnText {
  readonly text: string;
  /** Whether it takes up space and is not hidden. */
  readonly isVisible: boolean;
  readonly color: string;
  readonly background: string;
  /** Opacity of the element and its ancestors, from 0 to 1. */
  readonly opacity: number;
}

/** What a browser saw of a refusal page. */
export interface RefusalVisit {
  readonly appearance: Appearance;
  readonly status: number;
  readonly title: string;
  /** All visible text, in order. */
  readonly text: string;
  /** Target of the link to the guide. */
  readonly more: string | null;
  readonly drawn: readonly DrawnText[];
  /** Whether the page fits into the width of the window. */
  readonly fits: boolean;
  /** URLs of all requests; the first is that of the page. */
  readonly requests: readonly string[];
  /** Errors on the browser's console, including those of scripts and policies. */
  readonly consoleErrors: readonly string[];
}

/** Opens a page that the proxy refuses, in every appearance. */
export async function visitRefusals(browser: Browser, url: string): Promise<RefusalVisit[]> {
  const visits: RefusalVisit[] = [];
  for (const appearance of APPEARANCES) visits.push(await visitRefusal(browser, url, appearance));
  return visits;
}

async function visitRefusal(browser: Browser, url: string, appearance: Appearance): Promise<RefusalVisit> {
  const page = await browser.newPage();
  const requests: string[] = [];
  const consoleErrors: string[] = [];
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    // Reloads are suppressed while the page is examined.
    if (request.isNavigationRequest() && requests.length > 0) return void request.respond({ status: 204 });
    requests.push(request.url());
    void request.continue();
  });
  page.on("pageerror", (error) => consoleErrors.push(String(error)));
  page.on("console", (message) => {
    // Chromium reports every page with an error status.
    if (!/responded with a status of/.test(message.text())) consoleErrors.push(message.text());
  });
  if (appearance === "without JavaScript") await page.setJavaScriptEnabled(false);
  else await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: appearance }]);
  const response = await page.goto(url, { waitUntil: "networkidle0", timeout: 30_000 });
  const seen = await read(page);
  await page.close();
  return { appearance, status: response?.status() ?? 0, ...seen, requests, consoleErrors };
}

/** Runs in the page; it is a string because its names exist only there. */
async function read(page: Page): Promise<Pick<RefusalVisit, "title" | "text" | "more" | "drawn" | "fits">> {
  return await page.evaluate(`(() => {
    const upwards = (element) => element === null ? [] : [element, ...upwards(element.parentElement)];
    const drawn = [...document.querySelectorAll("h1, p, dt, dd, small")].map((element) => {
      const styles = upwards(element).map((each) => getComputedStyle(each));
      const box = element.getBoundingClientRect();
      const filled = styles.find(({ backgroundColor }) => backgroundColor !== "rgba(0, 0, 0, 0)");
      return {
        text: element.innerText,
        isVisible: box.width > 0 && box.height > 0 &&
          styles[0].visibility === "visible",
        color: styles[0].color,
        background: filled ? filled.backgroundColor : "none",
        opacity: styles.reduce((product, { opacity }) => product * Number(opacity), 1),
      };
    });
    const fits = document.documentElement.scrollWidth <= innerWidth;
    const link = document.querySelector("dd a");
    return {
      title: document.title,
      text: document.body.innerText,
      more: link === null ? null : link.href,
      drawn,
      fits,
    };
  })()`) as Pick<RefusalVisit, "title" | "text" | "more" | "drawn" | "fits">;
}
