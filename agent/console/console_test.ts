import assert from "node:assert/strict";
import { VERSION } from "../../shared/version.ts";
import { openConsole } from "./console.ts";

const STATUS = {
  state: "ready",
  proxy: { host: "0.0.0.0", port: 8080 },
  connections: 2,
  streams: 3,
  direct_streams: 0,
  clients: 1,
};

async function withConsole(test: (url: string) => Promise<void>): Promise<void> {
  const console = await openConsole({
    port: 0,
    // deno-lint-ignore no-explicit-any -- the page does not show the certificates
    status: () => STATUS as any,
    proxyScript: "function FindProxyForURL() {}",
    onError: assert.fail,
  });
  try {
    await test(`http://127.0.0.1:${console.address.port}`);
  } finally {
    await console.close();
  }
}

async function get(url: string, accept: string): Promise<{ response: Response; text: string }> {
  const response = await fetch(url, { headers: { accept } });
  return { response, text: await response.text() };
}

Deno.test("the console's pages have a strict policy, the version and working links", async () => {
  await withConsole(async (url) => {
    for (const path of ["/", "/troubleshooting"]) {
      const { response, text } = await get(`${url}${path}`, "text/html");
      assert.equal(response.status, 200);
      const policy = response.headers.get("content-security-policy")!;
      assert.match(policy, /^default-src 'none'; style-src 'sha256-/);
      assert.doesNotMatch(policy, /unsafe|http/);
      assert.ok(text.includes(`Sallyport agent ${VERSION}`) || text.includes(`Sallyport ${VERSION}`), path);
      for (const [, href] of text.matchAll(/ href="([^#"][^"]*)"/g)) {
        const linked = await get(new URL(href!, url).href, "*/*");
        assert.equal(linked.response.status, 200, href);
      }
    }
    const { text } = await get(`${url}/`, "text/html");
    assert.match(text, /<p id="state">ready: 2 connections to servers, 3 streams, 1 client<\/p>/);
    assert.ok(text.includes("127.0.0.1:8080") && text.includes(`${url}/proxy.pac`));
  });
});

Deno.test("the console answers plain text to clients that do not accept HTML", async () => {
  await withConsole(async (url) => {
    for (const [path, word] of [["/", "ready: 2 connections"], ["/troubleshooting", "# Troubleshooting"]]) {
      const { response, text } = await get(`${url}${path}`, "*/*");
      assert.match(response.headers.get("content-type")!, /^text\/plain/);
      assert.ok(text.includes(word!));
    }
  });
});
