/** Purpose: `agent doctor` distinguishes problems of corporate proxies, and connects through them like the agent. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { FakeFleet } from "../../support/cloud/fake_fleet.ts";
import { keysOf, runDoctor } from "../../support/programs/doctor.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";
import { startProxy } from "../../support/proxies/proxy_program.ts";
import { CREDENTIALS, forEachProxy } from "../../support/proxies/proxy_tests.ts";

await forEachProxy((kind, test) => {
  test(`agent doctor connects through ${kind}, and reports its 407`, async (program) => {
    await using chain = await Chain.prepare();
    await using proxy = await startProxy(kind, program, chain.dir, CREDENTIALS);
    await chain.startServer();
    await using origin = startHttpOrigin(() => new Response("hello"));
    const url = `http://${origin.host}/`;
    const through = (login: string) =>
      runDoctor({
        keys: { ...keysOf(chain), upstream_proxy: `http://${login}127.0.0.1:${proxy.port}` },
        args: ["--control", url, "--page", url],
      });
    const working = await through("alice:s3cret@");
    assert.equal(working.code, 0, JSON.stringify(working.report));
    assert.equal(working.step("proxy").result, "pass");
    assert.equal(working.step("control").result, "pass");
    assert.match(working.step("server").detail, /through the proxy/);
    assert.ok(!JSON.stringify(working.report).includes("s3cret"), "the password is in the report");
    for (const login of ["", "alice:wrong@"]) {
      const refused = await through(login);
      refused.assertCause("proxy", "proxy_login", 21);
      assert.equal(refused.step("server").caused_by, "proxy");
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
  Deno.test(`agent doctor reports a proxy that answers ${status}`, async () => {
    await using chain = await Chain.prepare();
    await using proxy = startTcpOrigin(async (connection) => {
      await connection.read(new Uint8Array(4_096));
      const answer = `HTTP/1.1 ${status}\r\n${more}Content-Length: 0\r\n\r\n`;
      await connection.write(new TextEncoder().encode(answer));
    });
    const keys = { ...keysOf(chain), upstream_proxy: `http://${proxy.host}` };
    (await runDoctor({ keys })).assertCause("proxy", "proxy_refusal", 22);
  });
}

Deno.test("agent doctor distinguishes a proxy that waits for the server from an unreachable one", async () => {
  await using chain = await Chain.prepare();
  await using proxy = startTcpOrigin(async (connection) => {
    // Stays silent until the agent closes the connection.
    while (await connection.read(new Uint8Array(4_096)) !== null);
  });
  const run = await runDoctor({ keys: { ...keysOf(chain), upstream_proxy: `http://${proxy.host}` } });
  run.assertCause("proxy", "proxy_cannot_reach", 23);
  assert.equal(run.step("control").caused_by, "proxy");
});

Deno.test("agent doctor reports a proxy that cannot reach the server either", async () => {
  await using chain = await Chain.prepare();
  await using proxy = startTcpOrigin(async (connection) => {
    await connection.read(new Uint8Array(4_096));
    const answer = "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n";
    await connection.write(new TextEncoder().encode(answer));
  });
  const keys = { ...keysOf(chain), upstream_proxy: `http://${proxy.host}` };
  (await runDoctor({ keys })).assertCause("proxy", "proxy_cannot_reach", 23);
});

Deno.test("agent doctor reports something that is not a proxy", async () => {
  await using chain = await Chain.prepare();
  await using other = startTcpOrigin(async (connection) => {
    await connection.write(new TextEncoder().encode("SSH-2.0-OpenSSH_9\r\n"));
    while (await connection.read(new Uint8Array(4_096)) !== null);
  });
  const keys = { ...keysOf(chain), upstream_proxy: `http://${other.host}` };
  (await runDoctor({ keys })).assertCause("proxy", "proxy_unusable", 24);
});

Deno.test("agent doctor reports an unreachable proxy", async () => {
  await using chain = await Chain.prepare();
  const keys = { ...keysOf(chain), upstream_proxy: "http://127.0.0.1:1" };
  const run = await runDoctor({ keys });
  run.assertCause("proxy", "proxy_unreachable", 20);
  assert.equal(run.step("control").result, "skipped");
});

Deno.test("agent doctor reports a proxy that allows the cloud functions but not the server", async () => {
  await using chain = await Chain.prepare();
  await using fleet = new FakeFleet(await Deno.readTextFile(`${chain.dir}/certs/ca.crt`));
  fleet.run(8443);
  await using proxy = startHttpOrigin(async (request) => {
    const { pathname, search } = new URL(request.url);
    const headers = { authorization: request.headers.get("authorization") ?? "" };
    return await fetch(`http://${fleet.host}${pathname}${search}`, { method: request.method, headers });
  });
  // Allows CONNECT only to the functions' port.
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
  const run = await runDoctor({ keys: { ...keys, upstream_proxy: `http://${front.host}` } });
  run.assertCause("server", "proxy_refusal", 22);
  assert.match(run.step("fleet").detail, /servers run at 127\.0\.0\.1, port 8443/);
});

async function write(connection: Deno.TcpConn, text: string): Promise<void> {
  await connection.write(new TextEncoder().encode(text));
}
