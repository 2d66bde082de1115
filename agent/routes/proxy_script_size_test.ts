import assert from "node:assert/strict";
import vm from "node:vm";
import { configureLog, getLogger, resetLog } from "../../shared/log.ts";
import { loggedProxyScript, proxyScript } from "./proxy_script.ts";
import { Routes, type RoutesOptions } from "./routes.ts";

const PROXY = { host: "127.0.0.1", port: 8080 };

/** The function of the script for these lists. */
function findOf(lists: RoutesOptions): (url: string) => string {
  const context = vm.createContext({});
  vm.runInContext(proxyScript(new Routes(lists), PROXY).text, context);
  return (url) => {
    Object.assign(context, { url, host: new URL(url).hostname });
    return vm.runInContext("FindProxyForURL(url, host)", context);
  };
}

/** So many unused names. */
function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `advertisements-${i}.tracker.example`);
}

Deno.test("proxy script stays small with long lists of blocked names that bypass does not cover", () => {
  const bypass = ["*.corp.example", "10.0.0.0/8", "wiki.example"];
  const block = [
    ...names(30_000),
    "pay.corp.example",
    "*.ads.corp.example",
    "10.9.0.0/16:80",
    "11.0.0.0/8:80",
  ];
  const { text, tooLarge } = proxyScript(new Routes({ bypass, block }), PROXY);
  assert.equal(tooLarge, undefined);
  assert.ok(text.length < 10_000, `${text.length} bytes`);
  assert.doesNotMatch(text, /tracker/);
  const find = findOf({ bypass, block });
  const hosts = [
    ...[
      "a.corp.example",
      "pay.corp.example",
      "x.ads.corp.example",
      "wiki.example",
      "10.1.1.1",
      "10.9.1.1:80",
    ],
    ...["advertisements-1.tracker.example", "11.1.1.1:80", "example.org"],
  ];
  const direct = hosts.filter((host) => find(`https://${host}/`) === "DIRECT");
  assert.deepEqual(direct, ["a.corp.example", "wiki.example", "10.1.1.1"]);
});

Deno.test("proxy script that is too large for browsers sends everything to the agent instead", () => {
  const few = proxyScript(new Routes({ bypass: names(15_000), block: [] }), PROXY);
  assert.ok(few.tooLarge === undefined && few.text.length < 900_000, `${few.text.length} bytes`);
  for (
    const lists of [{ bypass: names(30_000), block: [] }, { bypass: ["*.example"], block: names(30_000) }]
  ) {
    const { text, tooLarge } = proxyScript(new Routes(lists), PROXY);
    assert.ok(tooLarge !== undefined && tooLarge > 900_000, `${tooLarge} bytes`);
    assert.ok(text.length < 10_000, `${text.length} bytes`);
    const find = findOf(lists);
    for (const host of ["advertisements-7.tracker.example", "wiki.example", "10.1.1.1"]) {
      assert.equal(find(`http://${host}/`), "PROXY 127.0.0.1:8080", host);
    }
  }
});

/** The script for these lists, and the log lines. */
function loggedScriptFor(lists: RoutesOptions): { log: string; text: string } {
  const lines: string[] = [];
  configureLog({ write: (line) => lines.push(line) });
  try {
    const text = loggedProxyScript(new Routes(lists), PROXY, getLogger("direct"));
    return { log: lines.join(""), text };
  } finally {
    resetLog();
  }
}

Deno.test("proxy script logs a warning only if the lists are too long for it", () => {
  const names = Array.from({ length: 40_000 }, (_, i) => `site-${i}.example.org`);
  const short = loggedScriptFor({ bypass: ["wiki.example"], block: names });
  assert.equal(short.log, "");
  const long = loggedScriptFor({ bypass: names, block: [] });
  assert.match(
    long.log,
    /"level":"WARN"[^]*proxy script exceeds size limit, lists left out[^]*"size_bytes":\d{7}/,
  );
  assert.match(long.log, /shorten bypass/);
  assert.doesNotMatch(long.text, /example\.org/);
});
