/**
 * Drives a headless Chromium in a separate process, which keeps the browser's library out of the test runner.
 *
 * - `drive.ts probe KIND CHROMIUM PROFILE` tests whether it starts
 * - `drive.ts visit KIND CHROMIUM PROFILE PROXY URL` loads a page through a proxy
 * - `drive.ts refusals KIND CHROMIUM PROFILE PROXY URL` opens a page that the proxy refuses
 * - `drive.ts own-pages KIND CHROMIUM PROFILE PROXY URL DIRECT...` uses the refusal page, and opens the other URLs
 *   without the proxy
 * - `drive.ts pages KIND CHROMIUM PROFILE SCRIPT NAMES URL...` loads pages with a proxy script; the names resolve to
 *   this machine
 *
 * `KIND` is `shell` or `full`. Each prints one line of JSON.
 */
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { visitOwnPages } from "./own_pages_visit.ts";
import { visitRefusals } from "./refusal_visit.ts";
import { CANNOT_START, type Page as LoadedPage, type Visit } from "./visit.ts";
import { terminal } from "../../shared/cli/terminal.ts";

const FLAGS = [
  "--no-sandbox", // the tests may run as root
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-default-apps",
  "--disable-dev-shm-usage", // containers have little shared memory
  "--disable-gpu",
  "--no-first-run",
  "--proxy-bypass-list=<-loopback>", // loopback goes through the proxy as well
];

/** @param headless `true` for a full Chromium without a window, or the headless shell. */
function launch(
  executablePath: string,
  profile: string,
  { headless, flags }: { headless: true | "shell"; flags: readonly string[] },
): Promise<Browser> {
  return puppeteer.launch({
    executablePath,
    headless,
    userDataDir: profile,
    args: [...FLAGS, ...flags],
    protocolTimeout: 30_000,
    timeout: 30_000,
  });
}

async function visit(browser: Browser, url: string): Promise<Visit> {
  const page = await browser.newPage();
  const failures: string[] = [];
  page.on("requestfailed", (request) => {
    if (!request.url().endsWith("/favicon.ico")) {
      failures.push(`${request.url()} ${request.failure()?.errorText}`);
    }
  });
  await page.goto(url, { waitUntil: "load", timeout: 30_000 });
  await page.waitForFunction("document.getElementById('socket').value !== 'connecting'", { timeout: 30_000 });
  return { ...await look(page), failures };
}

/** Runs in the page; it is a string because its names exist only there. */
async function look(page: Page): Promise<Omit<Visit, "failures">> {
  return await page.evaluate(`(async () => {
    const response = await fetch("/echo", { method: "POST", body: "posted by a browser" });
    const receivedLength = await new Promise((resolve, reject) => {
      const socket = new WebSocket("ws://" + location.host + "/ws");
      socket.onopen = () => socket.send("x".repeat(200000));
      socket.onmessage = (event) => { socket.close(1000); resolve(event.data.length); };
      socket.onerror = () => reject(new Error("the WebSocket failed"));
    });
    return {
      heading: document.querySelector("h1").textContent,
      pictures: [...document.images].map((image) => image.naturalWidth),
      posted: await response.text(),
      received: document.getElementById("socket").value,
      receivedLength,
    };
  })()`) as Omit<Visit, "failures">;
}

async function load(browser: Browser, url: string): Promise<LoadedPage> {
  const page = await browser.newPage();
  const response = await page.goto(url, { waitUntil: "load", timeout: 30_000 });
  const seen = await page.evaluate(`(async () => ({
    title: document.title,
    text: document.body.innerText,
    received: await new Promise((resolve) => {
      const socket = new WebSocket("ws://" + location.host + "/");
      socket.onopen = () => socket.send("hello");
      socket.onmessage = (event) => { socket.close(1000); resolve(event.data); };
      socket.onerror = () => resolve("nothing");
    }),
  }))()`) as Omit<LoadedPage, "status">;
  return { status: response?.status() ?? 0, ...seen };
}

async function loadAll(browser: Browser, urls: readonly string[]): Promise<LoadedPage[]> {
  const pages: LoadedPage[] = [];
  for (const url of urls) pages.push(await load(browser, url));
  return pages;
}

/** The browser's network flags; its own resolver is not used in tests. */
function networkFlags(task: string | undefined, [first = "", names = ""]: readonly string[]): string[] {
  if (task === "visit" || task === "refusals" || task === "own-pages") return [`--proxy-server=${first}`];
  if (task !== "pages") return [];
  const rules = names.split(",").map((name) => `MAP ${name} 127.0.0.1`);
  return [`--proxy-pac-url=${first}`, `--host-resolver-rules=${rules.join()}`];
}

async function main([task, kind, chromium = "", profile = "", ...rest]: string[]): Promise<unknown> {
  let browser: Browser;
  try {
    const flags = networkFlags(task, rest);
    browser = await launch(chromium, profile, { headless: kind === "full" ? true : "shell", flags });
  } catch (error) {
    Deno.exitCode = CANNOT_START;
    return { reason: String(error) };
  }
  try {
    switch (task) {
      case "visit":
        return await visit(browser, rest[1] ?? "");
      case "refusals":
        return await visitRefusals(browser, rest[1] ?? "");
      case "own-pages":
        return await visitOwnPages(browser, rest[1] ?? "", rest.slice(2));
      case "pages":
        return await loadAll(browser, rest.slice(2));
      default:
        return { version: await browser.version() };
    }
  } finally {
    await browser.close();
  }
}

if (import.meta.main) {
  const answer = await main(Deno.args);
  terminal.out(`${JSON.stringify(answer)}\n`);
}
