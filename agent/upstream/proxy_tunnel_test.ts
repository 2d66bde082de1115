import assert from "node:assert/strict";
import { startTcpOrigin } from "../../tests/support/origins/tcp_origin.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { connectThrough } from "./proxy_tunnel.ts";

/** A proxy that answers every CONNECT with this text; what it was sent is noted. */
function proxyThatSays(answer: string) {
  const asked: string[] = [];
  const origin = startTcpOrigin(async (connection) => {
    const buffer = new Uint8Array(4_096);
    const count = await connection.read(buffer);
    asked.push(new TextDecoder().decode(buffer.subarray(0, count ?? 0)));
    if (answer === "") return void await connection.read(buffer);
    await connection.write(new TextEncoder().encode(answer.replaceAll("\n", "\r\n")));
    await connection.read(buffer);
  });
  return { origin, asked };
}

function ask(
  port: number,
  more: { host?: string; authorization?: string; timeoutMs?: number; signal?: AbortSignal } = {},
) {
  const { host = "server.example", authorization, timeoutMs = 5_000, signal } = more;
  const proxy = { url: new URL(`http://127.0.0.1:${port}`), authorization };
  return connectThrough({ proxy, host, port: 443, timeoutMs, signal });
}

Deno.test("connectThrough sends target and credentials, and returns the connection", async () => {
  const { origin, asked } = proxyThatSays("HTTP/1.1 200 OK\n\n");
  await using _ = origin;
  const socket = await ask(origin.port, { host: "2001:db8::1", authorization: "Basic abc" });
  socket.destroy();
  assert.match(asked[0]!, /^CONNECT \[2001:db8::1\]:443 HTTP\/1\.1\r\n/);
  assert.match(asked[0]!, /\r\nproxy-authorization: Basic abc\r\n/i);
  assert.match(asked[0]!, /\r\nhost: \[2001:db8::1\]:443\r\n/i);
});

/** What a proxy may answer instead of connecting, and the resulting error. */
const REFUSALS: Readonly<Record<string, [answer: string, reason: RegExp]>> = {
  "407": [
    "HTTP/1.1 407 No\nProxy-Authenticate: Basic realm=x\nContent-Length: 0\n\n",
    /requires a user and a password \(407\)/,
  ],
  "407 for NTLM": [
    "HTTP/1.1 407 No\nProxy-Authenticate: NTLM\nContent-Length: 0\n\n",
    /not supported \(407, NTLM\)/,
  ],
  "403": ["HTTP/1.1 403 No\nContent-Length: 0\n\n", /forbids this \(403\): ask its administrator/],
  "403 with a page": [
    "HTTP/1.1 403 No\nContent-Type: text/html\nContent-Length: 1\n\nx",
    /forbids this \(403 and a page/,
  ],
  "a reason without end": [
    `HTTP/1.1 502 ${"x".repeat(5_000)}\nContent-Length: 0\n\n`,
    /cannot reach it either \(502 x{80}…\)/,
  ],
  "a bad gateway": [
    "HTTP/1.1 502 Bad Gateway\nContent-Length: 0\n\n",
    /cannot reach it either \(502 Bad Gateway\)/,
  ],
  "a page to log in": [
    "HTTP/1.1 302 Found\nContent-Type: text/html\nContent-Length: 0\n\n",
    /302 Found and a page.*log in/,
  ],
  "a page as if it were a connection": [
    "HTTP/1.1 200 OK\nContent-Type: text/html; charset=utf-8\nContent-Length: 1\n\nx",
    /answers 200 OK and a page.*log in/,
  ],
  "a page in chunks as if it were a connection": [
    "HTTP/1.1 200 OK\nContent-Type: text/html\nTransfer-Encoding: chunked\n\n1\nx\n0\n\n",
    /answers 200 OK and a page.*log in/,
  ],
  "a connection on which the target speaks first": [
    "HTTP/1.1 200 Connection established\n\nwelcome",
    /answers 200 Connection established, and no connection; it may want you to log in first/,
  ],
  "no HTTP": [
    "SSH-2.0-OpenSSH_9\n\n",
    /Cannot reach server\.example:443 through the proxy 127\.0\.0\.1:\d+: it does not answer as an HTTP proxy does/,
  ],
};
for (const [what, [answer, reason]] of Object.entries(REFUSALS)) {
  Deno.test(`connectThrough explains a proxy that answers with ${what}`, async () => {
    const { origin } = proxyThatSays(answer);
    await using _ = origin;
    await assert.rejects(ask(origin.port), withReason("tunnel_down", reason));
  });
}

Deno.test("connectThrough explains refused credentials", async () => {
  const { origin } = proxyThatSays(
    "HTTP/1.1 407 No\nProxy-Authenticate: Basic realm=x\nContent-Length: 0\n\n",
  );
  await using _ = origin;
  await assert.rejects(
    ask(origin.port, { authorization: "Basic abc" }),
    withReason("tunnel_down", /does not accept/),
  );
});

Deno.test("connectThrough gives up on a silent proxy at its deadline, or when cancelled", async () => {
  const { origin } = proxyThatSays("");
  await using _ = origin;
  await assert.rejects(
    ask(origin.port, { timeoutMs: 100 }),
    withReason("tunnel_down", /did not answer in 0\.1 s/),
  );
  const stop = new AbortController();
  const asked = ask(origin.port, { signal: stop.signal });
  stop.abort();
  await assert.rejects(asked, withReason("cancelled", /no longer needed/));
});

Deno.test("connectThrough names an unreachable proxy", async () => {
  const { origin } = proxyThatSays("");
  const { port } = origin;
  await origin[Symbol.asyncDispose]();
  await assert.rejects(ask(port), withReason("tunnel_down", /through the proxy 127\.0\.0\.1/));
});
