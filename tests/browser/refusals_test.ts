/**
 * Purpose: a person whose browser cannot have a page reads what failed, where, and what to do, in light and in dark
 * and without JavaScript, and the page that says so asks nobody for anything.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { contrastRatio } from "../support/contrast.ts";
import { unusedPort } from "../support/network.ts";
import { startTcpOrigin } from "../support/tcp_origin.ts";
import { Chromium } from "./chromium.ts";
import { LOOKS, type RefusalVisit } from "./refusal_visit.ts";

const chromium = await Chromium.unpack();
globalThis.addEventListener("unload", () => chromium[Symbol.dispose]());
const skip = await chromium.whyNot();
const guide = await Deno.readTextFile(new URL("../../docs/troubleshooting.md", import.meta.url));

/** Least contrast that WCAG 2.2 wants of text (level AA). */
const READABLE = 4.5;

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

/** Opens an address in every look, and judges the pages that come in its place. */
async function assertTold(chain: Chain, url: string, expected: Expected): Promise<void> {
  const visits = await chromium.refusals(chain.proxyUrl, url);
  assert.deepEqual(visits.map(({ look }) => look), LOOKS);
  for (const visit of visits) {
    assertSays(visit, url, expected);
    assertReadable(visit);
    assert.deepEqual(visit.requests, [url], `${visit.look}: requests`);
    assert.deepEqual(visit.complaints, [], visit.look);
  }
  // What the browser asks for without telling, such as an icon, would be refused as well.
  const refused = chain.agent.log.lines.filter(({ message }) => message === "Refused a request");
  assert.deepEqual(refused.map(({ fields }) => fields["target"]), LOOKS.map(() => url));
  assert.match(guide, new RegExp(`^### ${expected.code}$`, "m"));
}

function assertSays(visit: RefusalVisit, url: string, expected: Expected): void {
  const { status, title, text, look } = visit;
  const { code, what, where, advice } = expected;
  assert.equal(status, expected.status, look);
  assert.equal(title, `${status} ${expected.reason}`, look);
  assert.ok(text.includes(`Sallyport could not serve GET ${url}: ${what}.`), `${look}: ${text}`);
  assert.ok(text.includes(`What failed\n${what}\n`), `${look}: ${text}`);
  assert.ok(text.includes(`Where\n${where}\n`), `${look}: ${text}`);
  assert.match(text, advice, look);
  assert.match(text, new RegExp(`Details\\n.* \\(${code}\\)\\n`), look);
  assert.match(text, new RegExp(`More: docs/troubleshooting\\.md#${code}$`), look);
}

function assertReadable({ look, drawn, fits }: RefusalVisit): void {
  assert.ok(fits, `${look}: nothing is beyond the edge of the window`);
  assert.ok(drawn.length >= 10, `${look}: ${drawn.length} texts`);
  for (const { text, isVisible, color, background, opacity } of drawn) {
    assert.ok(isVisible, `${look}: "${text}" is visible`);
    const ratio = contrastRatio(color, background, opacity);
    assert.ok(ratio >= READABLE, `${look}: "${text}" has a contrast of ${ratio.toFixed(1)}`);
    const isDark =
      contrastRatio("rgb(255, 255, 255)", background) > contrastRatio("rgb(0, 0, 0)", background);
    assert.equal(isDark, look === "dark", `${look}: the page is ${background}`);
  }
}

test("a browser is told that the target refused the connection", async () => {
  await using chain = await Chain.start();
  await assertTold(chain, `http://127.0.0.1:${unusedPort()}/`, {
    status: 502,
    reason: "Bad Gateway",
    code: "target_refused",
    what: "the target refused the connection",
    where: "the target",
    advice: /What to do\nCheck the port, and that something listens there\n/,
  });
  await chain.finish();
});

test("a browser is told that the server's rules forbid the target", async () => {
  await using chain = await Chain.start();
  await assertTold(chain, `http://10.0.0.1/${"long".repeat(75)}`, {
    status: 403,
    reason: "Forbidden",
    code: "target_denied",
    what: "the server's rules forbid this target, or forbid it to this client",
    where: "the server",
    advice: /What to do\nPrivate addresses are refused unless targets\.allow on the server names them/,
  });
  await chain.finish();
});

test("a browser is told that the target did not answer in time", async () => {
  await using chain = await Chain.start({ server: { idle_timeout: "1s" } });
  await using silent = startTcpOrigin(async (connection) => {
    while (await connection.read(new Uint8Array(4_096)) !== null);
  });
  await assertTold(chain, `http://${silent.host}/`, {
    status: 504,
    reason: "Gateway Timeout",
    code: "target_timeout",
    what: "the target did not answer in time",
    where: "the target",
    advice: /What to do\nTry again; a firewall on the way may drop packets without a word\n/,
  });
  await chain.finish();
});

test("a browser is told that there is no connection to the server", async () => {
  await using chain = await Chain.prepare();
  await chain.startAgent({}, { server_port: unusedPort() });
  await assertTold(chain, "http://site.example/", {
    status: 503,
    reason: "Service Unavailable",
    code: "tunnel_down",
    what: "the connection between agent and server is lost or cannot be made",
    where: "the tunnel between agent and server",
    advice: /What to do\nRun `agent doctor`: it finds what stands in the way/,
  });
  assert.equal((await chain.agent.stop()).code, 0);
});
