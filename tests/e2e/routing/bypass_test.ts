/**
 * Purpose: the agent itself connects to targets in `bypass`, for all kinds of traffic and as faithfully as through the
 * tunnel, without the server. The server of these tests would refuse every target.
 */
import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { Chain, type Keys } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { requestFormsFor, sendRequest } from "../../support/programs/proxy_request.ts";
import { echoWebSocket, startHttpOrigin } from "../../support/origins/http_origin.ts";
import { unusedPort } from "../../support/programs/network.ts";
import { proxyClient } from "../../support/clients/proxy_client.ts";
import { RawClient } from "../../support/clients/raw_client.ts";
import { servingCertificate } from "../../support/pki/serving_certificate.ts";
import { startSilentTarget } from "../../support/origins/silent_target.ts";
import { eventuallyStable } from "../../support/eventually.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";
import { testBytes } from "../../support/test_bytes.ts";
import { openTunnel } from "../../support/clients/tunnel_client.ts";
import { within } from "../../support/within.ts";

/** Runs `body` with a server that refuses every target, and asserts that it got no requests. */
async function withBypass(agent: Keys, body: (chain: Chain) => Promise<void>): Promise<void> {
  await using chain = await Chain.start({ allow: [], agent });
  await body(chain);
  await chain.finish();
  assert.equal(chain.server.out.text, "", "the server writes a line for every stream that it saw");
}

const HERE = { bypass: ["127.0.0.0/8", "localhost"] };

Deno.test("all kinds of traffic to a bypassed host bypass the server", async () => {
  await withBypass(HERE, async (chain) => {
    const via: (string | null)[] = [];
    await using plain = startHttpOrigin((request) => {
      via.push(request.headers.get("via"));
      return request.headers.get("upgrade") ? echoWebSocket(request) : new Response("hello");
    });
    const { ca, ...tls } = await servingCertificate();
    await using secure = startHttpOrigin(() => new Response("hello in secret"), tls);
    const socks = `127.0.0.1:${chain.proxyPort}`;
    for (
      const args of [
        ["-x", chain.proxyUrl, `http://${plain.host}/`],
        ["-x", chain.proxyUrl, `http://LOCALHOST.:${plain.port}/`],
        ["-x", chain.proxyUrl, "-p", `http://${plain.host}/`],
        ["--socks5", socks, `http://${plain.host}/`],
        ["--socks5-hostname", socks, `http://localhost:${plain.port}/`],
      ]
    ) {
      const { text, errors } = await curl(args);
      assert.equal(text, "hello", `${args}: ${errors}`);
    }
    assert.deepEqual(via, ["1.1 sallyport", "1.1 sallyport", null, null, null], "as through the tunnel");
    using client = proxyClient(chain.proxyUrl, ca);
    const response = await fetch(`https://${secure.host}/`, { client });
    assert.equal(await response.text(), "hello in secret");
    const socket = new WebSocket(`ws://${plain.host}/`, { client });
    const heard = new Promise((resolve) => socket.addEventListener("message", ({ data }) => resolve(data)));
    socket.addEventListener("open", () => socket.send("x".repeat(200_000)));
    assert.equal(await within(15_000, heard, "the echo"), "x".repeat(200_000));
    const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
    socket.close(4321, "enough");
    assert.equal((await within(15_000, closed, "the close")).code, 4321);
  });
});

Deno.test("requests to a bypassed host share a connection, and clients get interim responses and trailers", async () => {
  await withBypass(HERE, async (chain) => {
    await using origin = startTcpOrigin(async (connection) => {
      const reader = new ByteReader(connection);
      for (let i = 0; i < 3; i++) {
        assert.match(await reader.head(), /^GET \/\d HTTP\/1\.1\r\n/);
        await writeAll(connection, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
        await writeAll(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n");
        await writeAll(connection, `5\r\nhell${i}\r\n0\r\nX-Sum: 53${i}\r\n\r\n`);
      }
    });
    const client = new RawClient(chain.proxyPort);
    for (let i = 0; i < 3; i++) {
      client.send(`GET http://${origin.host}/${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.match(await client.readTo("\r\n\r\n"), /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>\r\n/);
      assert.match(await client.readTo("\r\n\r\n"), /^HTTP\/1\.1 200 OK\r\n/);
      assert.equal(await client.readTo("\r\n\r\n"), `5\r\nhell${i}\r\n0\r\nX-Sum: 53${i}\r\n\r\n`);
    }
    await client.close();
    assert.equal(origin.accepted, 1);
  });
});

Deno.test("large bodies to and from a bypassed host are complete", async () => {
  await withBypass(HERE, async (chain) => {
    await using origin = startHttpOrigin(async (request) => new Response(await request.bytes()));
    const sent = testBytes(20_000_000);
    for (const way of [["-x", chain.proxyUrl], ["-x", chain.proxyUrl, "-p"]]) {
      const { body, errors } = await curl([...way, "--data-binary", "@-", `http://${origin.host}/`], sent);
      assert.equal(body.length, sent.length, errors);
      assert.ok(body.every((byte, i) => byte === sent[i]), "every byte is what it was");
    }
  });
});

Deno.test("each direction of a direct tunnel ends on its own", async () => {
  await withBypass(HERE, async (chain) => {
    await using origin = startTcpOrigin(async (connection) => {
      const request = await new ByteReader(connection).toEnd();
      await writeAll(connection, `read ${request.length} bytes to their end`);
    });
    using tunnel = await openTunnel(chain.proxyPort, origin.host, "early");
    assert.equal(tunnel.status, 200);
    await writeAll(tunnel.connection, " and late");
    await tunnel.connection.closeWrite();
    assert.equal(new TextDecoder().decode(await tunnel.reader.toEnd()), "read 14 bytes to their end");
  });
});

Deno.test("a client that does not read slows down a bypassed host", async () => {
  await withBypass(HERE, async (chain) => {
    let sent = 0;
    await using origin = startTcpOrigin(async (connection) => {
      await new ByteReader(connection).head();
      for (const block = testBytes(100_000); sent < 200_000_000; sent += block.length) {
        await writeAll(connection, block);
      }
    });
    {
      using _tunnel = await openTunnel(chain.proxyPort, origin.host, "GET / HTTP/1.1\r\n\r\n");
      await eventuallyStable("the origin has to wait", () => sent);
      assert.ok(sent < 100_000_000, `${sent} bytes were taken`);
    }
  });
});

Deno.test("hosts without an entry go through the tunnel", async () => {
  await using chain = await Chain.start({ agent: { bypass: ["127.0.0.2", "wiki.example", "127.0.0.1:1"] } });
  await using origin = startHttpOrigin(() => new Response("hello"));
  const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  assert.equal(text, "hello", errors);
  await chain.finish();
  assert.match(chain.server.out.text, new RegExp(`"target":"${origin.host}"`));
});

Deno.test("an unreachable bypassed host is reported as an error of the agent", async () => {
  const bypass = ["127.0.0.1", "no-such-name.invalid", "255.255.255.255"];
  await withBypass({ bypass }, async (chain) => {
    const port = unusedPort();
    for (
      const [host, to, codes, error, words] of [
        [
          "127.0.0.1",
          port,
          [502, 502, 502, 5],
          "connection_refused",
          /which bypass connects to directly, refused/,
        ],
        ["no-such-name.invalid", 80, [502, 502, 502, 4], "dns_error", /Where: {7}the agent, on this machine/],
        ["255.255.255.255", 80, [502, 502, 502, 4], "destination_ip_unroutable", /this machine has no route/],
      ] as const
    ) {
      const answers = await Promise.all(
        requestFormsFor(host).map((form) => sendRequest(chain.proxyPort, form, host, to)),
      );
      assert.deepEqual(answers.slice(0, 4).map(({ status, reply }) => status ?? reply), codes);
      assert.match(answers[1]!.text, words);
      assert.match(answers[1]!.text, new RegExp(`Proxy-Status: sallyport; error=${error}; `));
      assert.doesNotMatch(answers[1]!.text, /server/i, "it had no part in it");
    }
  });
});

const notLinux = Deno.build.os === "linux" ? undefined : "only Linux drops connections beyond a full backlog";
Deno.test({
  name: `a slow bypassed host gets 504${notLinux ? ` (skipped: ${notLinux})` : ""}`,
  ignore: notLinux !== undefined,
  async fn() {
    await withBypass(HERE, async (chain) => {
      using target = await startSilentTarget();
      const { text } = await curl(["-x", chain.proxyUrl, "-i", `http://${target.host}/`]);
      assert.match(
        text,
        /^HTTP\/1\.1 504 [^]*error=connection_timeout;[^]*bypass connects to directly, did not answer/,
      );
    });
  },
});

Deno.test("the agent sends no request to itself", async () => {
  await withBypass({ bypass: ["0.0.0.0/0", "::/0", "localhost"] }, async (chain) => {
    for (const port of [chain.proxyPort, chain.consolePort]) {
      for (const host of ["127.0.0.1", "localhost", "127.0.0.2", "0.0.0.0", "::ffff:127.0.0.1", "0x7f.1"]) {
        for (const form of requestFormsFor(host)) {
          const { status, reply, text } = await sendRequest(chain.proxyPort, form, host, port);
          assert.equal(status ?? reply, status === undefined ? 2 : 403, `${form} ${host}: ${text}`);
          if (status !== undefined) assert.match(text, /the agent's own ports are refused/);
        }
      }
    }
  });
});
