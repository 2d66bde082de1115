import assert from "node:assert/strict";
import { withFrontDoor } from "../../../tests/support/clients/front_door.ts";
import { SallyportError } from "../../../shared/errors.ts";
import { VERSION } from "../../../shared/version.ts";
import { configFileFor, ownConsoleRule } from "../refusals/console_url.ts";

const CONSOLE = "http://127.0.0.1:8081";

/** What the front door sends until it closes the connection. */
async function answer(lines: readonly string[], options = {}): Promise<string> {
  let text = "";
  await withFrontDoor({ console: () => CONSOLE, ...options }, async ({ client, settled, refused }) => {
    const browser = client();
    browser.send([...lines, "", ""].join("\r\n"));
    text = await browser.rest();
    assert.equal(refused.length, /^HTTP\/1\.1 (200|404)/.test(text) ? 0 : 1);
    await settled();
  });
  return text;
}

const HOST = "Host: 127.0.0.1:8080";

Deno.test("a browser that opens the proxy gets a page that explains how to use it", async () => {
  const page = await answer(["GET / HTTP/1.1", HOST, "Accept: text/html"]);
  assert.match(page, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(page, /Content-Security-Policy: default-src 'none'/);
  assert.match(page, /<h1>This is a proxy<\/h1>/);
  for (
    const part of [
      "127.0.0.1:8080",
      `${CONSOLE}/proxy.pac`,
      `href="${CONSOLE}/"`,
      "agent env",
      "task -q exec -- COMMAND",
      VERSION,
    ]
  ) {
    assert.ok(page.includes(part), part);
  }
});

Deno.test("curl and programs that read JSON get the same as text", async () => {
  for (const accept of ["*/*", "application/json"]) {
    const text = await answer(["GET / HTTP/1.1", HOST, `Accept: ${accept}`]);
    assert.match(text, /Content-Type: text\/plain[^]*This is a proxy[^]*curl -x http:\/\/127\.0\.0\.1:8080 /);
  }
});

Deno.test("HEAD gets no body, and an icon is not found", async () => {
  assert.match(await answer(["HEAD / HTTP/1.1", HOST]), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
  assert.match(await answer(["GET /favicon.ico HTTP/1.1", HOST]), /^HTTP\/1\.1 404 /);
});

Deno.test("the info page needs no credentials", async () => {
  const page = await answer(["GET / HTTP/1.1", HOST], { credentials: { user: "u", password: "p" } });
  assert.match(page, /^HTTP\/1\.1 200 /);
  assert.match(page, /User name and password: local_proxy_auth\n/);
  assert.match(page, /curl -x http:\/\/USER:PASSWORD@127\.0\.0\.1:8080 /);
});

for (
  const lines of [
    ["GET / HTTP/1.1", "Host: site.example"],
    ["POST / HTTP/1.1", HOST, "Content-Length: 0"],
    ["GET / HTTP/1.1", HOST, HOST],
    ["GET / HTTP/1.1", HOST, "Content-Length: 1"],
    ["GET / HTTP/1.0"],
  ]
) {
  Deno.test(`a request that may be for another site does not get the info page: ${lines.join(", ")}`, async () => {
    assert.match(await answer(lines), /^HTTP\/1\.1 400 /);
  });
}

Deno.test("a refusal of the agent's own console says to bypass the proxy", () => {
  const context = { console: () => CONSOLE };
  for (const url of ["http://127.0.0.1:8081/", "http://localhost:8081/x", "http://[::1]:8081/"]) {
    assert.match(ownConsoleRule(context, url)?.advice ?? "", /Exclude 127\.0\.0\.1/, url);
  }
  for (const url of ["http://127.0.0.1:8082/", "http://site.example:8081/", "/", undefined]) {
    assert.equal(ownConsoleRule(context, url), undefined, url);
  }
});

Deno.test("the info page names the configuration file to clients on this machine only", async () => {
  const configFile = "/home/user/agent.yaml";
  const page = await answer(["GET / HTTP/1.1", HOST], { configFile });
  assert.match(page, /agent env --config \/home\/user\/agent\.yaml/);
  for (const [remoteAddress, file] of [["127.0.0.1", configFile], ["192.0.2.1"], [undefined]] as const) {
    assert.equal(configFileFor({ configFile }, { remoteAddress }), file);
  }
});

Deno.test("a refusal, which a website can read, does not name the configuration file", async () => {
  const page = await answer(["GET http://a.example/ HTTP/1.1", "Host: a.example", "Connection: close"], {
    configFile: "/home/user/agent.yaml",
    openStream: () => Promise.reject(new SallyportError("tunnel_down", "Cannot connect: down")),
  });
  assert.match(page, /^HTTP\/1\.1 503 [^]*agent doctor/);
  assert.doesNotMatch(page, /agent\.yaml/);
});
