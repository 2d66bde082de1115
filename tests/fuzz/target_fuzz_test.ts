/** Targets written by clients are refused with bad_request, or parsed as exactly what they say. */
import { hostPort } from "../../shared/net/host_port.ts";
import assert from "node:assert/strict";
import { isIPv6 } from "node:net";
import fc from "fast-check";
import { parseAuthority } from "../../agent/front_door/client/request_authority.ts";
import { RequestError } from "../../agent/front_door/refusals/request_error.ts";
import { parseRequestTarget } from "../../agent/front_door/http/request_target.ts";
import { SallyportError } from "../../shared/errors.ts";
import { readStreamMessage } from "../../shared/protocol/messages.ts";

/** Cases of each property. */
const RUNS = 5_000;

/** Text that is often almost an authority. */
const part = fc.oneof(
  fc.constantFrom(
    "a.test",
    "[",
    "]",
    ":",
    "::1",
    "[::1]",
    "443",
    "0",
    "65535",
    "65536",
    "@",
    "%25eth0",
    ".",
    "-",
    "_",
  ),
  fc.constantFrom(
    "\r\n",
    "\0",
    " ",
    "\t",
    "/",
    "#",
    "?",
    "\\",
    "é",
    "\u2028",
    "\x7f",
    "1.2.3.4",
    "[::ffff:1.2.3.4]",
  ),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.ipV6(),
  fc.domain(),
  fc.nat(70_000).map(String),
);
/** An authority, unless its port is out of range. */
const likely = fc.tuple(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6().map((ip) => `[${ip}]`)), fc.nat(70_000))
  .map(([host, port]) => `${host}:${port}`);
const text = fc.oneof(
  fc.array(part, { maxLength: 6 }).map((parts) => parts.join("")),
  likely,
  fc.string({ maxLength: 300 }),
);

/** Runs `read`; undefined when it refused with bad_request, the only error allowed. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof SallyportError, String(error));
    assert.equal(error.code, "bad_request");
    assert.match(error.message, /^Cannot /);
    assert.doesNotMatch(error.message, /[\p{Cc}\p{Zl}\p{Zp}]/u);
    return undefined;
  }
}

Deno.test("parseAuthority refuses with bad_request, and what it accepts round-trips", () => {
  let accepted = 0;
  fc.assert(
    fc.property(text, fc.constantFrom(undefined, 80), (written, defaultPort) => {
      const authority = attempt(() => parseAuthority(written, defaultPort));
      if (authority === undefined) return;
      accepted++;
      const { host, port } = authority;
      assert.ok(Number.isInteger(port) && port >= 1 && port <= 65_535);
      assert.ok(isIPv6(host) || /^[A-Za-z0-9._-]{1,254}$/.test(host), host);
      assert.deepEqual(parseAuthority(hostPort(authority.host, authority.port)), authority);
      assert.ok(written.includes(host), "the host as it was written");
      // The server accepts everything that the agent accepts.
      assert.deepEqual(readStreamMessage("connect_request", authority).payload, authority);
    }),
    { numRuns: RUNS },
  );
  assert.ok(accepted > RUNS / 20, `only ${accepted} were accepted`);
});

Deno.test("parseRequestTarget refuses with its status, and otherwise keeps host and path apart", () => {
  let accepted = 0;
  const ascii = fc.array(fc.integer({ min: 0x21, max: 0x7e }), { maxLength: 20 })
    .map((codes) => String.fromCharCode(...codes));
  const separator = fc.constantFrom("", "/", "?", "#");
  const scheme = fc.constantFrom("http://", "HTTP://", "https://", "http:/", "ws://", "", "//");
  const url = fc.oneof(
    fc.tuple(fc.constant("http://"), likely, fc.constantFrom("/", "?", "#"), ascii).map((parts) =>
      parts.join("")
    ),
    fc.tuple(scheme, text, separator, ascii).map((parts) => parts.join("")),
    ascii,
  );
  const method = fc.constantFrom("GET", "OPTIONS", "POST");
  fc.assert(
    fc.property(method, url, (method, written) => {
      const target = attempt(() => {
        try {
          return parseRequestTarget(method, written, ["http"]);
        } catch (error) {
          assert.ok(error instanceof RequestError, String(error));
          assert.ok([400, 501].includes(error.rule.status));
          throw error;
        }
      });
      if (target === undefined) return;
      accepted++;
      assert.match(written, /^http:\/\//i);
      assert.doesNotMatch(target.authority, /[@/?#\s]/);
      assert.deepEqual(parseAuthority(target.authority, 80), { host: target.host, port: target.port });
      assert.ok(target.path === "*" || target.path.startsWith("/"));
      assert.ok(!target.path.includes("#"));
      const rest = written.slice(written.indexOf("://") + 3 + target.authority.length).split("#", 1)[0]!;
      if (target.path !== "*") assert.equal(target.path, rest.startsWith("/") ? rest : `/${rest}`);
    }),
    { numRuns: RUNS },
  );
  assert.ok(accepted > RUNS / 20, `only ${accepted} were accepted`);
});
