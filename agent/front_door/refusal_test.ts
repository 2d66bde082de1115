import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ERROR_CODES, type ErrorCode, SallyportError } from "../../shared/errors.ts";
import { HERE_RULES } from "./here_rules.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import { RequestError } from "./request_error.ts";

function header(refusal: Refusal, name: string): string | undefined {
  const index = refusal.headers.indexOf(name);
  return index < 0 ? undefined : refusal.headers[index + 1];
}

Deno.test("refusalOf gives each code its status and RFC 9209 error type", () => {
  const expected: Record<ErrorCode, [number, string]> = {
    dns_error: [502, "dns_error"],
    dns_timeout: [504, "dns_timeout"],
    target_refused: [502, "connection_refused"],
    target_unreachable: [502, "destination_ip_unroutable"],
    target_timeout: [504, "connection_timeout"],
    target_denied: [403, "destination_ip_prohibited"],
    target_reset: [502, "connection_terminated"],
    target_protocol: [502, "http_protocol_error"],
    bad_request: [400, "http_request_error"],
    cancelled: [502, "connection_terminated"],
    idle_timeout: [504, "connection_read_timeout"],
    limit_reached: [503, "connection_limit_reached"],
    going_away: [503, "destination_unavailable"],
    tunnel_down: [503, "destination_unavailable"],
    peer_rejected: [502, "tls_certificate_error"],
    version_unsupported: [502, "proxy_configuration_error"],
    protocol_violation: [502, "proxy_internal_error"],
    flow_control_violation: [502, "proxy_internal_error"],
    frame_too_large: [502, "proxy_internal_error"],
    internal: [500, "proxy_internal_error"],
  };
  for (const code of ERROR_CODES) {
    const refusal = refusalOf(new SallyportError(code, "Cannot dial a.test:80"));
    const [status, type] = expected[code];
    assert.equal(refusal.status, status, code);
    assert.equal(
      header(refusal, "Proxy-Status"),
      `sallyport; error=${type}; details="${code}: Cannot dial a.test:80"`,
    );
    assert.equal(header(refusal, "Content-Length"), String(Buffer.byteLength(refusal.body)));
  }
});

Deno.test("refusalOf says what failed, where and what to do", () => {
  const error = new SallyportError("target_refused", "Cannot dial a.test:81: connection refused");
  assert.equal(
    refusalOf(error, { target: "a.test:81" }).body,
    [
      "502 Bad Gateway",
      "",
      "Sallyport could not serve a.test:81",
      "",
      "What failed: the target refused the connection",
      "Where:       the target",
      "Details:     Cannot dial a.test:81: connection refused (target_refused)",
      "More:        docs/troubleshooting.md#target_refused",
      "What to do:  Check the port, and that something listens there",
      "",
    ].join("\n"),
  );
});

Deno.test("refusalOf quotes details as a structured field string", () => {
  const error = new SallyportError("internal", 'say "hé" \\ \r\nX: y');
  assert.equal(
    header(refusalOf(error), "Proxy-Status"),
    'sallyport; error=proxy_internal_error; details="internal: say \\"h?\\" \\\\ ??X: y"',
  );
  assert.ok(!refusalOf(error).body.includes("\r"));
});

Deno.test("refusalOf sends Retry-After in whole seconds, only with 503", () => {
  const down = new SallyportError("tunnel_down", "no connection");
  assert.equal(header(refusalOf(down), "Retry-After"), undefined);
  assert.equal(header(refusalOf(down, { retryAfterMs: 2_001 }), "Retry-After"), "3");
  assert.equal(header(refusalOf(down, { retryAfterMs: 0 }), "Retry-After"), "1");
  const refused = new SallyportError("target_refused", "refused");
  assert.equal(header(refusalOf(refused, { retryAfterMs: 2_000 }), "Retry-After"), undefined);
});

Deno.test("refusalOf tells a request error with its own status and words", () => {
  const refusal = refusalOf(new RequestError("no", { status: 501, what: "this", advice: "Do that" }));
  assert.equal(refusal.status, 501);
  assert.equal(refusal.reason, "Not Implemented");
  assert.match(refusal.body, /What failed: this\nWhere: {7}the agent[^]*What to do: {2}Do that\n/);
  assert.equal(header(refusal, "Proxy-Authenticate"), undefined);
});

const REFUSED = new SallyportError("target_refused", "Cannot dial <b>a.test</b>: refused");

Deno.test("refusalOf writes JSON for those who read it", () => {
  const refusal = refusalOf(REFUSED, { target: "GET http://a.test/", accept: "application/json" });
  assert.equal(header(refusal, "Content-Type"), "application/json");
  assert.deepEqual(JSON.parse(refusal.body).error, {
    status: 502,
    reason: "Bad Gateway",
    target: "GET http://a.test/",
    what: "the target refused the connection",
    where: "the target",
    details: "Cannot dial <b>a.test</b>: refused",
    code: "target_refused",
    advice: "Check the port, and that something listens there",
    more: "docs/troubleshooting.md#target_refused",
  });
});

Deno.test("refusalOf writes a page for browsers that fetches nothing and runs nothing", () => {
  const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  const refusal = refusalOf(REFUSED, { target: 'GET http://a.test/"><script>', accept });
  assert.equal(header(refusal, "Content-Type"), "text/html; charset=utf-8");
  assert.match(header(refusal, "Content-Security-Policy")!, /^default-src 'none'/);
  assert.equal(header(refusal, "Content-Length"), String(Buffer.byteLength(refusal.body)));
  assert.doesNotMatch(refusal.body, /<script|<b>a\.test|src=|href=|url\(/);
  assert.match(refusal.body, /&lt;script&gt;<\/b>: the target refused the connection\./);
  assert.match(refusal.body, /color-scheme:light dark/);
  assert.ok(refusal.body.length < 3_000, `${refusal.body.length} characters`);
});

Deno.test("refusalOf tells of what the agent itself failed at, and sends nobody to the server for it", () => {
  for (const code of ERROR_CODES) {
    const { status, body } = refusalOf(new SallyportError(code, "Cannot go on", { at: "here" }));
    assert.equal(status, refusalOf(new SallyportError(code, "Cannot go on")).status, code);
    if (HERE_RULES[code] !== undefined) assert.doesNotMatch(body, /the server/, code);
  }
  const full = refusalOf(new SallyportError("limit_reached", "Cannot open a stream", { at: "here" }));
  assert.match(full.body, /What to do: {2}Try again later; the details name what is full/);
  const blocked = refusalOf(
    new SallyportError("target_denied", "Cannot connect to a.test:80", { at: "here" }),
  );
  assert.match(blocked.body, /Where: {7}the agent, on this machine\n/);
  assert.match(blocked.body, /What failed: the agent's configuration forbids this target\n/);
});

Deno.test("every code has its place in docs/troubleshooting.md, to which the pages point", async () => {
  const guide = await Deno.readTextFile(new URL("../../docs/troubleshooting.md", import.meta.url));
  for (const code of ERROR_CODES) assert.ok(guide.includes(`\n### ${code}\n`), code);
});

Deno.test("refusalOf shows no controls and no marks that turn or hide text", () => {
  for (const accept of ["text/html", "text/plain", "application/json"]) {
    const target = "a\u202eb.test\u2066\u200b";
    const error = new SallyportError("bad_request", "Cannot read \u202e\u009b31m\u001b[2J");
    const { body } = refusalOf(error, { accept, target });
    // deno-lint-ignore no-control-regex -- they are what is looked for
    assert.doesNotMatch(body, /[\u001b\u0080-\u009f\u200b\u202e\u2066]/, accept);
    assert.match(body, /a\?b\.test\?\?/);
  }
});
