import type { Browser, Page } from "puppeteer-core";

/** How a person looks at a page. */
export const LOOKS = ["light", "dark", "without JavaScript"] as const;

/** One of {@linkcode LOOKS}. */
export type Look = typeof LOOKS[number];

/** A text of a page as it is drawn. Colours are as the browser computed them. */
export interface DrawnText {
  readonly text: string;
  /** Whether it takes up room, and is not hidden. */
  readonly isVisible: boolean;
  readonly color: string;
  readonly background: string;
  /** Of the element and everything that it is in, from 0 to 1. */
  readonly opacity: number;
}

/** What a browser made of the page that the agent answers with when it cannot serve another one. */
export interface RefusalVisit {
  readonly look: Look;
  readonly status: number;
  readonly title: string;
  /** Everything that can be read, in order. */
  readonly text: string;
  readonly drawn: readonly DrawnText[];
  /** Whether all of it is within the width of the window. */
  readonly fits: boolean;
  /** Addresses of all requests, the page's own first. */
  readonly requests: readonly string[];
  /** What the browser complains about, scripts and policies included. */
  readonly complaints: readonly string[];
}

/** Opens a page that cannot be had, in every look. */
export async function visitRefusals(browser: Browser, url: string): Promise<RefusalVisit[]> {
  const visits: RefusalVisit[] = [];
  for (const look of LOOKS) visits.push(await visitRefusal(browser, url, look));
  return visits;
}

async function visitRefusal(browser: Browser, url: string, look: Look): Promise<RefusalVisit> {
  const page = await browser.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // It tells of every page with such a status.
    if (!/responded with a status of/.test(message.text())) complaints.push(message.text());
  });
  if (look === "without JavaScript") await page.setJavaScriptEnabled(false);
  else await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: look }]);
  const response = await page.goto(url, { waitUntil: "networkidle0", timeout: 30_000 });
  const seen = await read(page);
  await page.close();
  return { look, status: response?.status() ?? 0, ...seen, requests, complaints };
}

/** Runs in the page, as text, because what it uses exists only there. */
async function read(page: Page): Promise<Pick<RefusalVisit, "title" | "text" | "drawn" | "fits">> {
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
    return { title: document.title, text: document.body.innerText, drawn, fits };
  })()`) as Pick<RefusalVisit, "title" | "text" | "drawn" | "fits">;
}
