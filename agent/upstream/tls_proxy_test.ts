import assert from "node:assert/strict";
import { once } from "node:events";
import { startHttpOrigin } from "../../tests/support/origins/http_origin.ts";
import { EXPIRED, NOT_YET_VALID, TestPki } from "../../tests/support/pki/pki.ts";
import { startTlsProxy } from "../../tests/support/proxies/tls_proxy.ts";
import { startSilentTarget } from "../../tests/support/origins/silent_target.ts";
import { startTcpOrigin } from "../../tests/support/origins/tcp_origin.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import type { LeafOptions } from "../certs/authority/certificate_authority.ts";
import { connectThrough } from "./proxy_tunnel.ts";
import { webRequest } from "./web_request.ts";

const pki = await TestPki.create("Corporate CA");
const PROXY_NAMES = [{ type: "dns", value: "localhost" }, { type: "ip", value: "127.0.0.1" }] as const;

function certificate(options: Partial<LeafOptions> = {}) {
  return pki.serverKey({ commonName: "proxy", alternativeNames: [...PROXY_NAMES], ...options });
}

function ask(port: number, more: { host?: string; ca?: string | undefined; timeoutMs?: number } = {}) {
  const { host = "localhost", ca = pki.ca, timeoutMs = 5_000 } = more;
  const url = new URL(`https://${host}:${port}`);
  const proxy = { url, authorization: "Basic abc", ca: "ca" in more ? more.ca : ca };
  return { proxy, host: "server.example", port: 443, timeoutMs };
}

for (const host of ["localhost", "127.0.0.1"]) {
  Deno.test(`an https proxy is verified by its own name, ${host}, not by the name of the target`, async () => {
    await using target = startTcpOrigin(async (connection) => {
      await connection.write(new TextEncoder().encode("hello"));
    });
    await using proxy = await startTlsProxy(await certificate());
    const socket = await connectThrough({ ...ask(proxy.port, { host }), port: target.port });
    const [data] = await once(socket, "data");
    assert.equal(new TextDecoder().decode(data), "hello");
    socket.destroy();
    assert.match(proxy.heads[0]!, /^CONNECT server\.example:\d+ HTTP\/1\.1\r\n/);
    assert.match(proxy.heads[0]!, /\r\nproxy-authorization: Basic abc\r\n/i);
    assert.doesNotMatch(proxy.names[0]!, /server\.example/);
  });
}

/** Problems of a proxy's certificate, and the resulting error. */
const FAULTS: Readonly<Record<string, [Partial<LeafOptions>, { host?: string; ca?: undefined }, RegExp]>> = {
  "of an unknown CA": [
    {},
    { ca: undefined },
    /was issued by CN=Corporate CA, which is not trusted here: .* upstream_ca_file$/,
  ],
  "of another name": [
    { alternativeNames: [{ type: "dns", value: "proxy.example" }] },
    {},
    /is not for "localhost": it carries "proxy\.example"; write one of these into upstream_proxy$/,
  ],
  "that expired": [EXPIRED, {}, /expired on .*: the administrator of the proxy has to renew it/],
  "that is not valid yet": [NOT_YET_VALID, {}, /is not valid before .*: set the clock/],
};
for (const [what, [options, how, reason]] of Object.entries(FAULTS)) {
  Deno.test(`an https proxy with a certificate ${what} is reported as the proxy, and gets no request`, async () => {
    await using proxy = await startTlsProxy(await certificate(options));
    const named = new RegExp(
      `^Cannot reach server\\.example:443 through the proxy localhost:${proxy.port}: ` +
        `its certificate \\(CN=proxy\\) ${reason.source}`,
    );
    await assert.rejects(connectThrough(ask(proxy.port, how)), withReason("tunnel_down", named));
    assert.deepEqual(proxy.heads, []);
  });
}

Deno.test("an https proxy of another CA than the configured one is refused", async () => {
  const other = await TestPki.create("Other CA");
  await using proxy = await startTlsProxy(await certificate());
  await assert.rejects(
    connectThrough(ask(proxy.port, { ca: other.ca })),
    withReason("tunnel_down", /was issued by CN=Corporate CA, not by CN=Other CA: check upstream_ca_file$/),
  );
});

Deno.test("an https proxy without TLS, closing or silent is reported as such", async () => {
  await using plain = startHttpOrigin(() => new Response());
  await assert.rejects(
    connectThrough(ask(plain.port)),
    withReason("tunnel_down", /it does not speak TLS: write http:\/\/ into upstream_proxy$/),
  );
  await using rude = startTcpOrigin(() => Promise.resolve());
  await assert.rejects(
    connectThrough(ask(rude.port)),
    withReason("tunnel_down", /through the proxy localhost:\d+: /),
  );
  await using silent = startTcpOrigin(async (connection) => {
    while (await connection.read(new Uint8Array(4_096)) !== null);
  });
  await assert.rejects(
    connectThrough(ask(silent.port, { timeoutMs: 100 })),
    withReason("tunnel_down", /it did not answer TLS in 0\.1 s: for a proxy without TLS, write http:/),
  );
  using unreached = await startSilentTarget();
  await assert.rejects(
    connectThrough(ask(Number(unreached.host.split(":")[1]), { timeoutMs: 100 })),
    withReason("tunnel_down", /it did not answer in 0\.1 s$/),
  );
});

Deno.test("a refusal of an https proxy is explained like any other", async () => {
  await using proxy = await startTlsProxy(
    await certificate(),
    "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
  );
  await assert.rejects(
    connectThrough(ask(proxy.port)),
    withReason("tunnel_down", /does not accept the user and password/),
  );
});

Deno.test("a TLS proxy asked in plain text is reported as such", async () => {
  await using proxy = await startTlsProxy(await certificate());
  const request = ask(proxy.port);
  const plain = { url: new URL(`http://localhost:${proxy.port}`), authorization: undefined };
  await assert.rejects(
    connectThrough({ ...request, proxy: plain }),
    withReason("tunnel_down", /if it speaks TLS, write https:\/\/ into upstream_proxy$/),
  );
});

Deno.test("webRequest over http verifies an https proxy by its own name", async () => {
  const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
  await using proxy = await startTlsProxy(await certificate(), answer);
  const { proxy: via } = ask(proxy.port);
  const url = new URL("http://site.example/a");
  const { body } = await webRequest({ url, method: "GET", timeoutMs: 5_000, maxBytes: 100, via });
  assert.equal(body, "hi");
  assert.match(proxy.heads[0]!, /^GET http:\/\/site\.example\/a HTTP\/1\.1\r\n/);
  assert.match(proxy.heads[0]!, /\r\nhost: site\.example\r\n/i);
});
