/** Purpose: `agent doctor` tells apart what corporate proxies do, and looks through them like the agent. */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { FakeFleet } from "../support/cloud/fake_fleet.ts";
import { examined, keysOf } from "../support/doctor.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { startTcpOrigin } from "../support/tcp_origin.ts";
import { startProxy } from "../support/proxies/proxy_program.ts";
import { CREDENTIALS, forEachProxy } from "../support/proxies/proxy_tests.ts";

await forEachProxy((kind, test) => {
  test(`agent doctor looks through ${kind}, and knows its 407`, async (program) => {
    await using chain = await Chain.prepare();
    await using proxy = await startProxy(kind, program, chain.dir, CREDENTIALS);
    await chain.startServer();
    await using origin = startHttpOrigin(() => new Response("hello"));
    const url = `http://${origin.host}/`;
    const through = (login: string) =>
      examined({
        keys: { ...keysOf(chain), upstream_proxy: `http://${login}127.0.0.1:${proxy.port}` },
        args: ["--control", url, "--page", url],
      });
    const well = await through("alice:s3cret@");
    assert.equal(well.code, 0, JSON.stringify(well.report));
    assert.equal(well.step("proxy").outcome, "pass");
    assert.equal(well.step("control").outcome, "pass");
    assert.match(well.step("server").detail, /through the proxy/);
    assert.ok(!JSON.stringify(well.report).includes("s3cret"), "the password is in the report");
    for (const login of ["", "alice:wrong@"]) {
      const stranger = await through(login);
      stranger.assertCause("proxy", "proxy_login", 21);
      assert.equal(stranger.step("server").because, "proxy");
    }
    await chain.server.stop();
  });
});

for (
  const [status, more] of [["403 Forbidden", ""], [
    "302 Found",
    "Location: http://login.example/\r\n",
  ]] as const
) {
  Deno.test(`agent doctor knows a proxy that answers ${status}`, async () => {
    await using chain = await Chain.prepare();
    await using proxy = startTcpOrigin(async (connection) => {
      await connection.read(new Uint8Array(4_096));
      const answer = `HTTP/1.1 ${status}\r\n${more}Content-Length: 0\r\n\r\n`;
      await connection.write(new TextEncoder().encode(answer));
    });
    const keys = { ...keysOf(chain), upstream_proxy: `http://${proxy.host}` };
    (await examined({ keys })).assertCause("proxy", "proxy_refusal", 22);
  });
}

Deno.test("agent doctor tells a proxy that waits for the server from one that is not there", async () => {
  await using chain = await Chain.prepare();
  await using proxy = startTcpOrigin(async (connection) => {
    // Nobody answers it; it ends when the agent does.
    while (await connection.read(new Uint8Array(4_096)) !== null);
  });
  const examination = await examined({ keys: { ...keysOf(chain), upstream_proxy: `http://${proxy.host}` } });
  examination.assertCause("proxy", "proxy_cannot_reach", 23);
  assert.equal(examination.step("control").because, "proxy");
});

Deno.test("agent doctor knows a proxy that does not get to the server either", async () => {
  await using chain = await Chain.prepare();
  await using proxy = startTcpOrigin(async (connection) => {
    await connection.read(new Uint8Array(4_096));
    const answer = "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n";
    await connection.write(new TextEncoder().encode(answer));
  });
  const keys = { ...keysOf(chain), upstream_proxy: `http://${proxy.host}` };
  (await examined({ keys })).assertCause("proxy", "proxy_cannot_reach", 23);
});

Deno.test("agent doctor knows a proxy that is none", async () => {
  await using chain = await Chain.prepare();
  await using other = startTcpOrigin(async (connection) => {
    await connection.write(new TextEncoder().encode("SSH-2.0-OpenSSH_9\r\n"));
    while (await connection.read(new Uint8Array(4_096)) !== null);
  });
  const keys = { ...keysOf(chain), upstream_proxy: `http://${other.host}` };
  (await examined({ keys })).assertCause("proxy", "proxy_unusable", 24);
});

Deno.test("agent doctor knows a proxy that is not there, whoever named it", async () => {
  await using chain = await Chain.prepare();
  const keys = { ...keysOf(chain), upstream_proxy: "http://127.0.0.1:1" };
  const examination = await examined({ keys });
  examination.assertCause("proxy", "proxy_unreachable", 20);
  assert.equal(examination.step("control").outcome, "skipped");
});

Deno.test("agent doctor knows a proxy that lets through the cloud's functions, and not the server", async () => {
  await using chain = await Chain.prepare();
  await using fleet = new FakeFleet(await Deno.readTextFile(`${chain.dir}/certs/ca.crt`));
  fleet.run(8443);
  await using proxy = startHttpOrigin(async (request) => {
    const { pathname, search } = new URL(request.url);
    const headers = { authorization: request.headers.get("authorization") ?? "" };
    return await fetch(`http://${fleet.host}${pathname}${search}`, { method: request.method, headers });
  });
  // What is no request for a page is CONNECT, which this one refuses for every port but that of the functions.
  await using front = startTcpOrigin(async (client) => {
    const bytes = new Uint8Array(16_384);
    const count = await client.read(bytes) ?? 0;
    const head = new TextDecoder().decode(bytes.subarray(0, count));
    if (head.startsWith(`CONNECT ${fleet.host} `)) return await write(client, "HTTP/1.1 200 OK\r\n\r\n");
    if (head.startsWith("CONNECT ")) return await write(client, "HTTP/1.1 403 Forbidden\r\n\r\n");
    using behind = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
    await behind.write(bytes.subarray(0, count));
    await Promise.race([behind.readable.pipeTo(client.writable), client.readable.pipeTo(behind.writable)]);
  });
  const keys = { ...keysOf(chain), ...fleet.keys as Record<string, string> };
  const examination = await examined({ keys: { ...keys, upstream_proxy: `http://${front.host}` } });
  examination.assertCause("server", "proxy_refusal", 22);
  assert.match(examination.step("fleet").detail, /servers run at 127\.0\.0\.1, port 8443/);
});

async function write(connection: Deno.TcpConn, text: string): Promise<void> {
  await connection.write(new TextEncoder().encode(text));
}
