/** Purpose: SOCKS5 on the proxy port: names, IPv4 and IPv6 addresses, and refusals with the matching reply. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startTcpOrigin, type TcpOrigin } from "../../support/origins/tcp_origin.ts";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { hasIPv6, unusedPort } from "../../support/programs/network.ts";

function hello(hostname?: string): TcpOrigin {
  return startTcpOrigin(async (connection) => {
    await new ByteReader(connection).head();
    await writeAll(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
  }, hostname);
}

Deno.test("curl reaches an origin by name and by IPv4 address over SOCKS5", async () => {
  await using chain = await Chain.start({ allow: ["127.0.0.0/8", "localhost"] });
  await using origin = hello();
  const proxy = `127.0.0.1:${chain.proxyPort}`;
  const byName = await curl(["--socks5-hostname", proxy, `http://localhost:${origin.port}/`]);
  assert.equal(byName.text, "hello", byName.errors);
  const byAddress = await curl(["--socks5", proxy, `http://127.0.0.1:${origin.port}/`]);
  assert.equal(byAddress.text, "hello", byAddress.errors);
  await chain.finish();
});

const noIPv6 = hasIPv6() ? undefined : "no IPv6 on this machine";
Deno.test({
  name: `curl reaches an origin by IPv6 address over SOCKS5${noIPv6 ? ` (skipped: ${noIPv6})` : ""}`,
  ignore: noIPv6 !== undefined,
  async fn() {
    await using chain = await Chain.start();
    await using origin = hello("::1");
    const { text, errors } = await curl([
      ...["--socks5-hostname", `127.0.0.1:${chain.proxyPort}`],
      `http://[::1]:${origin.port}/`,
    ]);
    assert.equal(text, "hello", errors);
    await chain.finish();
  },
});

Deno.test("refusals have the matching reply code", async () => {
  await using chain = await Chain.start({ allow: ["127.0.0.1", "255.255.255.255"] });
  const proxy = `127.0.0.1:${chain.proxyPort}`;
  const cases = {
    [`127.0.0.1:${unusedPort()}`]: 5, // connection refused
    "127.0.0.2:9": 2, // not allowed by ruleset
    "255.255.255.255:9": 4, // host unreachable: the tunnel has one code for everything unreachable
    "no-such-name.invalid:9": 4, // host unreachable, as for any name without an address
  };
  for (const [target, reply] of Object.entries(cases)) {
    const { code, errors } = await curl(["--socks5-hostname", proxy, `http://${target}/`]);
    assert.equal(code, 97, errors);
    assert.match(errors, new RegExp(`\\(${reply}\\)`), target);
  }
  await chain.finish();
});

Deno.test("BIND gets the reply command not supported", async () => {
  await using chain = await Chain.start();
  {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: chain.proxyPort });
    const reader = new ByteReader(connection);
    await writeAll(connection, new Uint8Array([5, 1, 0]));
    assert.deepEqual(await reader.exactly(2), new Uint8Array([5, 0]));
    await writeAll(connection, new Uint8Array([5, 2, 0, 1, 127, 0, 0, 1, 0, 80]));
    assert.deepEqual((await reader.exactly(10)).subarray(0, 2), new Uint8Array([5, 7]));
    await reader.toEnd();
  }
  await chain.finish();
});
