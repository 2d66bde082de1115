import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { ERROR_CODES, type ErrorCode, SallyportError } from "../../../shared/errors.ts";
import { LOCAL_REFUSAL_RULES } from "./refusal_rules.ts";
import { createRefusal, type Refusal } from "./refusal.ts";
import { RequestError } from "./request_error.ts";

function header(refusal: Refusal, name: string): string | undefined {
  const index = refusal.headers.indexOf(name);
  return index < 0 ? undefined : refusal.headers[index + 1];
}

Deno.test("createRefusal gives each code its status and RFC 9209 error type", () => {
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
    session_unknown: [503, "destination_unavailable"],
    peer_rejected: [502, "tls_certificate_error"],
    version_unsupported: [502, "proxy_configuration_error"],
    protocol_violation: [502, "proxy_internal_error"],
    flow_control_violation: [502, "proxy_internal_error"],
    frame_too_large: [502, "proxy_internal_error"],
    internal: [500, "proxy_internal_error"],
  };
  for (const code of ERROR_CODES) {
    const refusal = createRefusal(new SallyportError(code, "Cannot dial a.test:80"));
    const [status, type] = expected[code];
    assert.equal(refusal.status, status, code);
    assert.equal(
      header(refusal, "Proxy-Status"),
      `sallyport; error=${type}; details="${code}: Cannot dial a.test:80"`,
    );
    assert.equal(header(refusal, "Content-Length"), String(Buffer.byteLength(refusal.body)));
  }
});

Deno.test("createRefusal says what failed, where and what to do", () => {
  const error = new SallyportError("target_refused", "Cannot dial a.test:81: connection refused");
  assert.equal(
    createRefusal(error, { target: "a.test:81" }).body,
    [
      "502 Bad Gateway",
      "",
      "Sallyport could not serve a.test:81",
      "",
      "What failed: the target refused the connection",
      "Where:       the target",
      "Details:     Cannot dial a.test:81: connection refused (target_refused)",
      "More:        docs/troubleshooting.md#target_refused",
      "What to do:  Check the port, and that a service is listening on it",
      "",
    ].join("\n"),
  );
});

Deno.test("createRefusal quotes details as a structured field string", () => {
  const error = new SallyportError("internal", 'say "hé" \\ \r\nX: y');
  assert.equal(
    header(createRefusal(error), "Proxy-Status"),
    'sallyport; error=proxy_internal_error; details="internal: say \\"h?\\" \\\\ ??X: y"',
  );
  assert.ok(!createRefusal(error).body.includes("\r"));
});

Deno.test("createRefusal sends Retry-After in whole seconds, only with 503", () => {
  const down = new SallyportError("tunnel_down", "no connection");
  assert.equal(header(createRefusal(down), "Retry-After"), undefined);
  assert.equal(header(createRefusal(down, { retryAfterMs: 2_001 }), "Retry-After"), "3");
  assert.equal(header(createRefusal(down, { retryAfterMs: 0 }), "Retry-After"), "1");
  const refused = new SallyportError("target_refused", "refused");
  assert.equal(header(createRefusal(refused, { retryAfterMs: 2_000 }), "Retry-After"), undefined);
});

Deno.test("createRefusal uses the status and texts of a request error", () => {
  const refusal = createRefusal(new RequestError("no", { status: 501, what: "this", advice: "Do that" }));
  assert.equal(refusal.status, 501);
  assert.equal(refusal.reason, "Not Implemented");
  assert.match(refusal.body, /What failed: this\nWhere: {7}the agent[^]*What to do: {2}Do that\n/);
  assert.equal(header(refusal, "Proxy-Authenticate"), undefined);
});

const REFUSED = new SallyportError("target_refused", "Cannot dial <b>a.test</b>: refused");

Deno.test("createRefusal writes JSON for clients that accept it", () => {
  const refusal = createRefusal(REFUSED, { target: "GET http://a.test/", accept: "application/json" });
  assert.equal(header(refusal, "Content-Type"), "application/json");
  assert.deepEqual(JSON.parse(refusal.body).error, {
    status: 502,
    reason: "Bad Gateway",
    target: "GET http://a.test/",
    what: "the target refused the connection",
    where: "the target",
    details: "Cannot dial <b>a.test</b>: refused",
    code: "target_refused",
    advice: "Check the port, and that a service is listening on it",
    more: "docs/troubleshooting.md#target_refused",
  });
});

Deno.test("createRefusal writes a page for browsers that loads nothing and runs nothing", () => {
  const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  const refusal = createRefusal(REFUSED, { target: 'GET http://a.test/"><script>', accept });
  assert.equal(header(refusal, "Content-Type"), "text/html; charset=utf-8");
  assert.match(header(refusal, "Content-Security-Policy")!, /^default-src 'none'/);
  assert.equal(header(refusal, "Content-Length"), String(Buffer.byteLength(refusal.body)));
  assert.doesNotMatch(refusal.body, /<script|<b>a\.test|src=|href=|url\(|style=|`/);
  assert.match(refusal.body, /<h1>The target refused the connection<\/h1>/);
  assert.equal(refusal.body.match(/<h1>.*<\/body>/)![0].match(/refused the connection/g)!.length, 1);
  assert.match(refusal.body, /&lt;script&gt;<\/b>\./);
  assert.doesNotMatch(header(refusal, "Content-Security-Policy")!, /unsafe/);
  assert.match(refusal.body, /color-scheme:light dark/);
  assert.ok(refusal.body.length < 3_000, `${refusal.body.length} characters`);
});

Deno.test("createRefusal describes errors in the agent without mentioning the server", () => {
  for (const code of ERROR_CODES) {
    const { status, body } = createRefusal(new SallyportError(code, "Cannot go on", { at: "here" }));
    assert.equal(status, createRefusal(new SallyportError(code, "Cannot go on")).status, code);
    if (LOCAL_REFUSAL_RULES[code] !== undefined) assert.doesNotMatch(body, /the server/, code);
  }
  const full = createRefusal(new SallyportError("limit_reached", "Cannot open a stream", { at: "here" }));
  assert.match(full.body, /What to do: {2}Try again later; the details name what is full/);
  const blocked = createRefusal(
    new SallyportError("target_denied", "Cannot connect to a.test:80", { at: "here" }),
  );
  assert.match(blocked.body, /Where: {7}the agent, on this machine\n/);
  assert.match(blocked.body, /What failed: the agent's configuration blocks this target\n/);
});

Deno.test("every error code has a section in docs/troubleshooting.md, where the pages point", async () => {
  const guide = await Deno.readTextFile(new URL("../../../docs/troubleshooting.md", import.meta.url));
  for (const code of ERROR_CODES) assert.ok(guide.includes(`\n### ${code}\n`), code);
});

Deno.test("createRefusal shows no control characters and no bidirectional or invisible ones", () => {
  for (const accept of ["text/html", "text/plain", "application/json"]) {
    const target = "a\u202eb.test\u2066\u200b";
    const error = new SallyportError("bad_request", "Cannot read \u202e\u009b31m\u001b[2J");
    const { body } = createRefusal(error, { accept, target });
    // deno-lint-ignore no-control-regex -- the test looks for them
    assert.doesNotMatch(body, /[\u001b\u0080-\u009f\u200b\u202e\u2066]/, accept);
    assert.match(body, /a\\{1,2}u\{202e\}b\.test/);
  }
});

const CONSOLE = "http://127.0.0.1:8081";
const HTML = "text/html";

Deno.test("createRefusal points to the console if the client can reach it, otherwise to the file", () => {
  const bodyOf = (accept: string, console?: string) => createRefusal(REFUSED, { accept, console }).body;
  assert.match(
    bodyOf(HTML, CONSOLE),
    /<a href="http:\/\/127\.0\.0\.1:8081\/troubleshooting#target_refused">/,
  );
  assert.match(bodyOf("", CONSOLE), /More: {8}http:\/\/127\.0\.0\.1:8081\/troubleshooting#target_refused\n/);
  assert.match(bodyOf(HTML), /<dd>docs\/troubleshooting\.md#target_refused<\/dd>/);
});

Deno.test("createRefusal counts down to a retry only for a GET with a known delay", () => {
  const down = new SallyportError("tunnel_down", "no connection");
  const page = (method: string, retryAfterMs?: number, error = down) =>
    createRefusal(error, { accept: HTML, method, retryAfterMs });
  const counting = page("GET", 4_200);
  assert.match(counting.body, /<noscript><meta http-equiv="refresh" content="5"><\/noscript>/);
  assert.match(counting.body, /<a id="retry" href="">.*data-seconds="5"/);
  const [, script = ""] = /<script>([^]*)<\/script>/.exec(counting.body) ?? [];
  const hash = createHash("sha256").update(script).digest("base64");
  assert.ok(header(counting, "Content-Security-Policy")!.includes(`script-src 'sha256-${hash}'`));
  assert.match(page("GET").body, /<a id="retry" href="">/);
  assert.doesNotMatch(page("GET").body, /refresh|<script/);
  assert.doesNotMatch(page("POST", 4_200).body, /refresh|<script|id="retry"/);
  const denied = new SallyportError("target_denied", "no");
  assert.doesNotMatch(page("GET", 4_200, denied).body, /refresh|<script|id="retry"/);
});

Deno.test("refusals have no backticks, and pages have code elements instead", () => {
  for (const code of ERROR_CODES) {
    for (const accept of [HTML, "text/plain", "application/json"]) {
      assert.doesNotMatch(
        createRefusal(new SallyportError(code, "x"), { accept }).body,
        /`/,
        `${code} ${accept}`,
      );
    }
  }
  const down = new SallyportError("tunnel_down", "x");
  const { body } = createRefusal(down, { accept: HTML });
  assert.match(body, /<code>npx -y deno@\S+ task -q agent doctor<\/code>/);
});

Deno.test("a refused certificate's advice names server_name", () => {
  assert.match(createRefusal(new SallyportError("peer_rejected", "x")).body, /\bserver_name\b/);
});
