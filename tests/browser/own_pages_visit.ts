import type { Browser, Page } from "puppeteer-core";

/** What a browser saw of a refusal page that reloads itself, and of the agent's own pages. */
export interface OwnPagesVisit {
  /** Statuses of the page: at first, after the countdown, and after the refresh without JavaScript. */
  readonly statuses: readonly number[];
  /** Text of the countdown before and after it was stopped. */
  readonly countdown: readonly [before: string, stopped: string];
  /** Status after the retry link was clicked. */
  readonly byLink: number;
  /** The heading that the link to the guide leads to. */
  readonly more: string;
  /** Headings of the proxy's info page and of the console, opened without the proxy. */
  readonly headings: readonly string[];
  /** Errors on the browser's console. */
  readonly consoleErrors: readonly string[];
}

const OPTIONS = { timeout: 20_000 };

/**
 * Uses the refusal page of a URL.
 *
 * @param direct URLs to open without the proxy; the first is the proxy's own.
 */
export async function visitOwnPages(browser: Browser, url: string, direct: string[]): Promise<OwnPagesVisit> {
  const consoleErrors: string[] = [];
  const page = await browser.newPage();
  page.on("pageerror", (error) => consoleErrors.push(String(error)));
  page.on("console", (message) => {
    if (!/responded with a status of/.test(message.text())) consoleErrors.push(message.text());
  });
  const first = (await page.goto(url, OPTIONS))!.status();
  const counted = await reloaded(page);
  const before = await textOf(page, "#countdown");
  await page.click("#stop");
  const stopped = await textOf(page, "#countdown");
  const [followed] = await Promise.all([page.waitForNavigation(OPTIONS), page.click("#retry")]);
  await page.click("#stop");
  const more = await page.$eval("dd a", (link) => (link as unknown as { href: string }).href);
  await page.setJavaScriptEnabled(false);
  await page.goto(url, OPTIONS);
  const refreshed = await reloaded(page);
  await page.close();
  const headings = [];
  for (const each of [more, ...direct]) headings.push(await headingOf(browser, each));
  return {
    statuses: [first, counted, refreshed],
    countdown: [before, stopped],
    byLink: followed!.status(),
    more: headings.shift()!,
    headings,
    consoleErrors,
  };
}

async function reloaded(page: Page): Promise<number> {
  return (await page.waitForNavigation(OPTIONS))!.status();
}

function textOf(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent ?? "");
}

/** Opens a page without a proxy; returns the heading at the URL's fragment, or else the first one. */
async function headingOf(browser: Browser, url: string): Promise<string> {
  const context = await browser.createBrowserContext({ proxyServer: "direct://" });
  try {
    const page = await context.newPage();
    await page.goto(url, OPTIONS);
    return await textOf(page, new URL(url).hash || "h1");
  } finally {
    await context.close();
  }
}
