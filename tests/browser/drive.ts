/**
 * Drives a headless Chromium, as a program of its own: the browser's library stays out of the test runner.
 * `drive.ts probe CHROMIUM PROFILE` sees whether it starts, `drive.ts visit CHROMIUM PROFILE PROXY URL` loads a
 * page through a proxy, and `drive.ts refusals` with the same arguments opens one that cannot be had. All print one
 * line of JSON.
 */
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { visitRefusals } from "./refusal_visit.ts";
import { CANNOT_START, type Visit } from "./visit.ts";

const FLAGS = [
  "--no-sandbox", // the tests may run as root
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-default-apps",
  "--disable-dev-shm-usage", // containers have little of it
  "--disable-gpu",
  "--no-first-run",
  "--proxy-bypass-list=<-loopback>", // loopback goes through the proxy as well
];

function launch(executablePath: string, profile: string, flags: readonly string[]): Promise<Browser> {
  return puppeteer.launch({
    executablePath,
    headless: "shell",
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

/** Runs in the page, as text, because what it uses exists only there. */
async function look(page: Page): Promise<Omit<Visit, "failures">> {
  return await page.evaluate(`(async () => {
    const response = await fetch("/echo", { method: "POST", body: "posted by a browser" });
    const heardLength = await new Promise((resolve, reject) => {
      const socket = new WebSocket("ws://" + location.host + "/ws");
      socket.onopen = () => socket.send("x".repeat(200000));
      socket.onmessage = (event) => { socket.close(1000); resolve(event.data.length); };
      socket.onerror = () => reject(new Error("the WebSocket failed"));
    });
    return {
      heading: document.querySelector("h1").textContent,
      pictures: [...document.images].map((image) => image.naturalWidth),
      posted: await response.text(),
      heard: document.getElementById("socket").value,
      heardLength,
    };
  })()`) as Omit<Visit, "failures">;
}

async function main([task, chromium = "", profile = "", proxy, url = ""]: string[]): Promise<unknown> {
  let browser: Browser;
  try {
    browser = await launch(chromium, profile, proxy === undefined ? [] : [`--proxy-server=${proxy}`]);
  } catch (error) {
    Deno.exitCode = CANNOT_START;
    return { reason: String(error) };
  }
  try {
    switch (task) {
      case "visit":
        return await visit(browser, url);
      case "refusals":
        return await visitRefusals(browser, url);
      default:
        return { version: await browser.version() };
    }
  } finally {
    await browser.close();
  }
}

if (import.meta.main) {
  const answer = await main(Deno.args);
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(answer)}\n`));
}
