import assert from "node:assert/strict";
import vm from "node:vm";
import fc from "fast-check";
import { readHost } from "../../shared/egress/rules/host.ts";
import type { TargetRule } from "../../shared/egress/rules/rule.ts";
import { FIND_PROXY } from "./find_proxy.ts";
import { proxyScript } from "./proxy_script.ts";
import { Routes, type RoutesOptions } from "./routes.ts";

const PROXY = { host: "127.0.0.1", port: 8080 };

/** The function of the script for these lists, called like a browser does. */
function browser(lists: Partial<RoutesOptions>, proxy = PROXY): (url: string, host?: string) => string {
  const context = vm.createContext({});
  vm.runInContext(proxyScript(new Routes({ bypass: [], block: [], ...lists }), proxy).text, context);
  return (url, host = new URL(url).hostname) => {
    Object.assign(context, { url, host });
    return vm.runInContext("FindProxyForURL(url, host)", context);
  };
}

Deno.test("proxy script sends targets in bypass directly, and everything else to the agent", () => {
  const find = browser({
    bypass: ["wiki.example", "*.corp.example:8443", "10.0.0.0/8", "[fd00::/8]:80", "0.0.0.0/0:81"],
    block: ["pay.corp.example", "wiki.example:81"],
  });
  for (
    const url of [
      ...["http://wiki.example/", "https://wiki.example/a?b#c", "ws://wiki.example/", "wss://WIKI.example./"],
      ...[
        "https://a.corp.example:8443/",
        "http://10.1.2.3/",
        "http://0x0a.1/",
        "http://[fd00::1]/",
        "ws://[fd12::]/",
      ],
      ...["http://8.8.8.8:81/", "http://[::ffff:10.1.2.3]/", "http://user:pass@wiki.example/"],
    ]
  ) assert.equal(find(url), "DIRECT", url);
  for (
    const url of [
      ...[
        "http://example.org/",
        "https://a.corp.example/",
        "https://corp.example:8443/",
        "https://[fd00::1]/",
      ],
      ...[
        "https://pay.corp.example:8443/",
        "http://wiki.example:81/",
        "http://11.0.0.1/",
        "http://[64:ff9b::a00:1]/",
      ],
      ...["http://xwiki.example/", "http://wiki.example.org/", "foo:bar", "foo://wiki.example/"],
    ]
  ) assert.equal(find(url), "PROXY 127.0.0.1:8080", url);
});

Deno.test("proxy script sends names to the agent if block has entries for addresses", () => {
  const bypass = ["wiki.example", "*.corp.example:8443", "10.0.0.0/8", "localhost"];
  const ways = (block: string[]) => {
    const find = browser({ bypass, block });
    return [
      "http://wiki.example/",
      "https://wiki.example/",
      "https://a.corp.example:8443/",
      "http://10.1.1.1/",
    ]
      .filter((url) => find(url) === "DIRECT");
  };
  assert.deepEqual(ways(["10.9.0.0/16"]), ["http://10.1.1.1/"]);
  assert.deepEqual(ways(["fd00::1"]), ["http://10.1.1.1/"]);
  assert.deepEqual(ways(["10.9.0.0/16:443", "[::1]:8443"]), ["http://wiki.example/", "http://10.1.1.1/"]);
  assert.deepEqual(ways(["ads.example", "10.9.0.0/16:81"]).length, 4);
});

Deno.test("proxy script recognises embedded blocked addresses and overlong names", () => {
  const find = browser({ bypass: ["::/0", "*.example"], block: ["10.0.0.0/8:80"] });
  for (
    const host of [
      ...["::a00:1", "::ffff:0:a00:1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::", "2001::f5ff:fffe"],
      ...["fd00::5efe:a00:1", "fd00::200:5efe:a00:1"],
    ]
  ) {
    assert.notEqual(find(`http://[${host}]/`), "DIRECT", host);
    assert.equal(
      find(`http://[${host.replace("a00:1", "b00:1").replace("f5ff", "f4ff")}]/`) === "DIRECT",
      true,
      host,
    );
  }
  const name = (length: number) => `${"a.".repeat(200)}example`.slice(-length);
  assert.equal(find(`https://${name(253)}/`), "DIRECT");
  assert.notEqual(find(`https://${name(255)}/`), "DIRECT");
});

Deno.test("proxy script accepts a host as Firefox and as Chromium write it", () => {
  const find = browser({ bypass: ["::1", "wiki.example"] });
  for (const host of ["::1", "[::1]", "0:0::0:1"]) assert.equal(find("https://[::1]/", host), "DIRECT", host);
  assert.equal(find("https://wiki.example/", "Wiki.Example."), "DIRECT");
});

Deno.test("proxy script names an address that can be connected to", () => {
  const proxyOf = (host: string) => browser({}, { host, port: 3128 })("http://example.org/");
  assert.equal(proxyOf("0.0.0.0"), "PROXY 127.0.0.1:3128");
  assert.equal(proxyOf("::"), "PROXY [::1]:3128");
  assert.equal(proxyOf("::1"), "PROXY [::1]:3128");
  assert.equal(proxyOf("192.0.2.7"), "PROXY 192.0.2.7:3128");
});

Deno.test("proxy script calls no resolver and is ECMAScript 3", () => {
  const text = proxyScript(new Routes({ bypass: ["wiki.example", "10.0.0.0/8"], block: [] }), PROXY).text;
  assert.doesNotMatch(text, /dnsResolve|isInNet|isResolvable|myIpAddress/);
  assert.doesNotMatch(
    FIND_PROXY,
    /=>|\b(let|const|class|of)\b(?!\s*\d)|`|\.(includes|startsWith|endsWith|padStart)\(/,
  );
});

const PORT = fc.constantFrom(undefined, 80, 443, 8080);
const LABEL = fc.constantFrom("a", "b", "corp", "x-1", "_s");
const NAME = fc.array(LABEL, { minLength: 1, maxLength: 3 }).map((labels) => `${labels.join(".")}.example`);
/** Few values of each part, so that rules often match hosts. */
const BYTE = fc.constantFrom(0, 1, 10, 94, 127, 254, 255);
const IPV4 = fc.tuple(BYTE, BYTE, BYTE, BYTE).map((bytes) => bytes.join("."));
const GROUP = fc.constantFrom(
  "0",
  "1",
  "a00",
  "7f00",
  "5efe",
  "ff9b",
  "64",
  "2001",
  "2002",
  "fd00",
  "ffff",
  "200",
);
const IPV6 = fc.oneof(
  fc.array(GROUP, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(":")),
  fc.tuple(fc.constantFrom("::", "::ffff:", "64:ff9b::", "::ffff:0:", "fd00::5efe:", "2001::"), IPV4)
    .map(([prefix, tail]) => prefix + tail),
);
const withPort = (host: string, port: number | undefined) => port === undefined ? host : `${host}:${port}`;
const RULE = fc.oneof(
  fc.tuple(NAME, fc.boolean(), PORT).map(([name, below, port]) => withPort(below ? `*.${name}` : name, port)),
  fc.tuple(IPV4, fc.nat(32), PORT).map(([host, bits, port]) => withPort(`${host}/${bits}`, port)),
  fc.tuple(IPV6, fc.nat(128), PORT).map(([host, bits, port]) => withPort(`[${host}/${bits}]`, port)),
);
const LISTS = fc.record({
  bypass: fc.array(RULE, { maxLength: 4 }),
  block: fc.array(RULE, { maxLength: 3 }),
});
const HOST = fc.oneof(
  ...[NAME, NAME.map((name) => `${name.toUpperCase()}.`), fc.domain(), IPV4, IPV6.map((host) => `[${host}]`)],
  fc.nat(0xffffffff).map(String),
  fc.constantFrom("localhost", "1.2.3", "0x7f.1", "a..example", "a_b.example", "-.example", "x.example.."),
);
const SCHEME = fc.constantFrom("http", "https", "ws", "wss");

/** A host that a rule covers. */
function coveredBy(rule: string): string {
  const [, bracketed, plain = ""] = /^(?:\[([^/]*).*\]|([^/:]*)).*/.exec(rule)!;
  return bracketed === undefined ? plain.replace("*", "a") : `[${bracketed}]`;
}

/** Lists and a host, in one of two cases one that an entry covers. */
const SCENE = fc.record({ lists: LISTS, other: HOST, picked: fc.option(fc.nat(6)) }).map(
  ({ lists, other, picked }) => {
    const rule = picked === null ? undefined : [...lists.bypass, ...lists.block][picked];
    return { lists, host: rule === undefined ? other : coveredBy(rule) };
  },
);

/** Whether the agent itself would send it directly, whatever a name resolves to. */
function goesDirectly(lists: RoutesOptions, written: string, port: number): boolean {
  const host = written.replace(/^\[|\]$/g, "");
  const routes = new Routes(lists);
  try {
    if (routes.of(host, port).to !== "direct") return false;
  } catch {
    return false; // it is no host
  }
  if (readHost(host)?.kind === "address") return true;
  const judges = ({ covers, port: only }: TargetRule) => covers.kind === "range" && (only ?? port) === port;
  return !routes.block.rules.some(judges);
}

/** The port of a URL. */
function portOf({ port, protocol }: URL): number {
  return Number(port) || (protocol === "https:" || protocol === "wss:" ? 443 : 80);
}

Deno.test("proxy script decides like the agent, for any lists and URL", () => {
  let directly = 0;
  fc.assert(
    fc.property(SCENE, SCHEME, PORT, ({ lists, host }, scheme, port) => {
      const url = URL.parse(`${scheme}://${withPort(host, port)}/path`);
      if (url === null) return;
      const expected = goesDirectly(lists, url.hostname, portOf(url));
      if (expected) directly++;
      const found = browser(lists)(url.href);
      assert.equal(found === "DIRECT", expected, `${found} for ${url.href}`);
    }),
    { numRuns: 5_000 },
  );
  assert.ok(directly > 500, `${directly} of them are direct`);
});

Deno.test("proxy script sends nothing directly that the agent would not, for any spelling of a host", () => {
  fc.assert(
    fc.property(SCENE, fc.option(fc.string({ maxLength: 20 })), ({ lists, host: usual }, odd) => {
      const host = odd ?? usual;
      if (browser(lists)("http://x/", host) !== "DIRECT") return;
      assert.equal(goesDirectly(lists, host, 80), true, host);
    }),
    { numRuns: 3_000 },
  );
});
