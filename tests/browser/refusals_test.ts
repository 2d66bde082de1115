/**
 * Purpose: a refusal page in a browser says what failed, where, and what to do, in light and dark mode and without
 * JavaScript, and it loads nothing else.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/programs/chain.ts";
import { contrastRatio } from "../support/browser/contrast.ts";
import { unusedPort } from "../support/programs/network.ts";
import { startTcpOrigin } from "../support/origins/tcp_origin.ts";
import { Chromium } from "./chromium.ts";
import { APPEARANCES, type RefusalVisit } from "./refusal_visit.ts";

const chromium = await Chromium.unpack();
globalThis.addEventListener("unload", () => chromium[Symbol.dispose]());
const skip = await chromium.whyNot();
const guide = await Deno.readTextFile(new URL("../../docs/troubleshooting.md", import.meta.url));

/** Minimum contrast of text (WCAG 2.2, level AA). */
const MIN_CONTRAST = 4.5;

interface Expected {
  readonly status: number;
  readonly reason: string;
  readonly code: string;
  readonly what: string;
  readonly where: string;
  readonly advice: RegExp;
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `${name}${skip ? ` (skipped: ${skip})` : ""}`, ignore: skip !== undefined, fn });
}

/** Opens a URL in every appearance and checks the refusal pages. */
async function assertRefused(chain: Chain, url: string, expected: Expected): Promise<void> {
  const visits = await chromium.refusals(chain.proxyUrl, url);
  assert.deepEqual(visits.map(({ appearance }) => appearance), APPEARANCES);
  for (const visit of visits) {
    assertContents(visit, url, expected);
    assertReadable(visit);
    assert.deepEqual(visit.requests, [url], `${visit.appearance}: requests`);
    assert.deepEqual(visit.consoleErrors, [], visit.appearance);
  }
  // Hidden requests of the browser, such as for an icon, would be refused as well. The page itself may be requested
  // once more: its countdown can end while the browser closes it.
  const refused = chain.agent.log.lines.filter(({ message }) => message === "request refused");
  assert.ok(refused.length >= APPEARANCES.length, `${refused.length} requests were refused`);
  assert.deepEqual([...new Set(refused.map(({ fields }) => fields["target"]))], [url]);
  assert.match(guide, new RegExp(`^### ${expected.code}$`, "m"));
}

function assertContents(visit: RefusalVisit, url: string, expected: Expected): void {
  const { status, title, text, appearance } = visit;
  const { code, what, where, advice } = expected;
  const headline = `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  assert.equal(status, expected.status, appearance);
  assert.equal(title, headline, appearance);
  assert.ok(
    text.startsWith(`${headline}\n\nSallyport could not serve GET ${url}.\n`),
    `${appearance}: ${text}`,
  );
  assert.equal(
    text.toLowerCase().split(what.toLowerCase()).length,
    2,
    `${appearance}: the reason appears once`,
  );
  assert.doesNotMatch(text, /`/, appearance);
  assert.match(text, /\nTry again( in \d+ seconds? Stop)?\n|^[^]*403 Forbidden/, appearance);
  assert.ok(text.includes(`Where\n${where}\n`), `${appearance}: ${text}`);
  assert.match(text, advice, appearance);
  assert.match(text, new RegExp(`\\n${status} ${expected.reason}, ${code}$`), appearance);
  assert.match(
    visit.more ?? "",
    new RegExp(`^http://127\\.0\\.0\\.1:\\d+/troubleshooting#${code}$`),
    appearance,
  );
}

function assertReadable({ appearance, drawn, fits }: RefusalVisit): void {
  assert.ok(fits, `${appearance}: the page fits into the window`);
  assert.ok(drawn.length >= 10, `${appearance}: ${drawn.length} texts`);
  for (const { text, isVisible, color, background, opacity } of drawn) {
    assert.ok(isVisible, `${appearance}: "${text}" is visible`);
    const ratio = contrastRatio(color, background, opacity);
    assert.ok(ratio >= MIN_CONTRAST, `${appearance}: "${text}" has a contrast of ${ratio.toFixed(1)}`);
    const isDark =
      contrastRatio("rgb(255, 255, 255)", background) > contrastRatio("rgb(0, 0, 0)", background);
    assert.equal(isDark, appearance === "dark", `${appearance}: the page is ${background}`);
  }
}

test("refusal page says that the target refused the connection", async () => {
  await using chain = await Chain.start();
  await assertRefused(chain, `http://127.0.0.1:${unusedPort()}/`, {
    status: 502,
    reason: "Bad Gateway",
    code: "target_refused",
    what: "the target refused the connection",
    where: "the target",
    advice: /What to do\nCheck the port, and that a service is listening on it\n/,
  });
  await chain.finish();
});

test("refusal page says that the server's rules do not allow the target", async () => {
  await using chain = await Chain.start();
  await assertRefused(chain, `http://10.0.0.1/${"long".repeat(75)}`, {
    status: 403,
    reason: "Forbidden",
    code: "target_denied",
    what: "the server's rules do not allow this target for this client",
    where: "the server",
    advice: /What to do\nPrivate addresses are refused unless targets\.allow on the server lists them/,
  });
  await chain.finish();
});

test("refusal page says that the target did not answer in time", async () => {
  await using chain = await Chain.start({ server: { idle_timeout: "1s" } });
  await using silent = startTcpOrigin(async (connection) => {
    while (await connection.read(new Uint8Array(4_096)) !== null);
  });
  await assertRefused(chain, `http://${silent.host}/`, {
    status: 504,
    reason: "Gateway Timeout",
    code: "target_timeout",
    what: "the target did not answer in time",
    where: "the target",
    advice: /What to do\nTry again; a firewall on the path may be dropping packets\n/,
  });
  await chain.finish();
});

test("refusal page says that the agent is not connected to the server", async () => {
  await using chain = await Chain.prepare();
  await chain.startAgent({}, { server_port: unusedPort() });
  await assertRefused(chain, "http://site.example/", {
    status: 503,
    reason: "Service Unavailable",
    code: "tunnel_down",
    what: "the agent is not connected to the server",
    where: "the tunnel between agent and server",
    advice: /What to do\nRun npx .* agent doctor to find the cause/,
  });
  assert.equal((await chain.agent.stop()).code, 0);
});
