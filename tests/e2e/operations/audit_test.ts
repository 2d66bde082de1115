/**
 * Purpose: the server writes one JSON line for every stream: client, origin, kind, target, bytes and result. A long
 * stream has a line before it is over, which survives a crash of the server.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { auditLines } from "../../support/programs/audit_lines.ts";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { sendRequest } from "../../support/programs/proxy_request.ts";
import { unusedPort } from "../../support/programs/network.ts";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";
import { openTunnel } from "../../support/clients/tunnel_client.ts";

const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
const SWITCH = "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/** Where connections to a port of 127.0.0.1 come from, as the kernel lists them. */
async function sourcesOf(port: number): Promise<string[]> {
  // Deno lets only programs with all permissions read /proc/net.
  const { stdout } = await new Deno.Command("cat", { args: ["/proc/net/tcp"], stdin: "null" }).output();
  const table = new TextDecoder().decode(stdout);
  const ends = table.matchAll(/: 0100007F:([0-9A-F]{4}) 0100007F:([0-9A-F]{4}) 01 /g);
  return [...ends].filter(([, , to]) => parseInt(to!, 16) === port)
    .map(([, from]) => `127.0.0.1:${parseInt(from!, 16)}`);
}

Deno.test("every kind of stream has an audit line", async () => {
  await using chain = await Chain.start({ allow: ["127.0.0.1"] });
  await using origin = startTcpOrigin(async (connection) => {
    const head = await new ByteReader(connection).head();
    await writeAll(connection, /^upgrade:/im.test(head) ? `${SWITCH}frames` : ANSWER);
  });
  const at = `127.0.0.1:${origin.port}`;
  const url = `http://${at}/`;
  const clients = [
    () => curl(["-x", chain.proxyUrl, url]),
    () => curl(["-x", chain.proxyUrl, "-p", url]),
    () => curl(["--socks5-hostname", `127.0.0.1:${chain.proxyPort}`, url]),
    () => curl(["-x", chain.proxyUrl, "--data-binary", "0123456789", url]),
    () => sendRequest(chain.proxyPort, "websocket", "127.0.0.1", origin.port),
  ];
  for (const [index, client] of clients.entries()) {
    await client();
    await auditLines(chain, index + 1); // in this order, however long an end takes
  }
  const reached = { target: at, address: "127.0.0.1", outcome: "ok" };
  const lines = await auditLines(chain, clients.length);
  const sources = await sourcesOf(chain.serverPort);
  assert.equal(new Set(lines.map(({ id }) => id)).size, lines.length);
  const { serialNumber } = new X509Certificate(await Deno.readTextFile(`${chain.dir}/certs/client.crt`));
  for (const line of lines) {
    const { time, event, client, serial, from, duration_ms } = line;
    assert.ok(Array.isArray(from) && sources.includes(from[0]), `${from} is none of ${sources}`);
    assert.deepEqual({ event, client, serial }, {
      event: "stream",
      client: "sallyport-client",
      serial: serialNumber,
    });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Number.isInteger(duration_ms));
  }
  const common = (line: typeof lines[number]) => {
    const { kind, target, address, outcome, status, bytes_out } = line;
    return { kind, target, address, outcome, ...(status === undefined ? {} : { status }), bytes_out };
  };
  assert.deepEqual(lines.map(common), [
    { kind: "http_request", ...reached, status: 200, bytes_out: 5 },
    { kind: "connect_request", ...reached, bytes_out: ANSWER.length },
    { kind: "connect_request", ...reached, bytes_out: ANSWER.length },
    { kind: "http_request", ...reached, status: 200, bytes_out: 5 },
    { kind: "websocket_open", ...reached, status: 101, bytes_out: 6 },
  ]);
  assert.equal(lines[0]!["bytes_in"], 0);
  assert.ok(Number(lines[1]!["bytes_in"]) > 50, "the request's head is a tunnel's bytes");
  assert.equal(lines[3]!["bytes_in"], 10);
  await chain.finish();
});

Deno.test("a failed stream has an audit line with the code and the detail", async () => {
  await using chain = await Chain.start({ allow: ["127.0.0.1"] });
  await using origin = startTcpOrigin(async (connection) => {
    await new ByteReader(connection).exactly(1);
    await writeAll(connection, "not HTTP at all\r\n\r\n");
  });
  const closed = unusedPort();
  await sendRequest(chain.proxyPort, "connect", "127.0.0.2", 9);
  await auditLines(chain, 1);
  await sendRequest(chain.proxyPort, "socks_name", "127.0.0.1", closed);
  await auditLines(chain, 2);
  await sendRequest(chain.proxyPort, "absolute", "127.0.0.1", origin.port);
  await auditLines(chain, 3);
  {
    using tunnel = await openTunnel(chain.proxyPort, `127.0.0.1:${origin.port}`);
    assert.equal(tunnel.status, 200);
  }
  const lines = await auditLines(chain, 4);
  assert.deepEqual(lines.map(({ kind, target, outcome }) => ({ kind, target, outcome })), [
    { kind: "connect_request", target: "127.0.0.2:9", outcome: "target_denied" },
    { kind: "connect_request", target: `127.0.0.1:${closed}`, outcome: "target_refused" },
    { kind: "http_request", target: `127.0.0.1:${origin.port}`, outcome: "target_protocol" },
    { kind: "connect_request", target: `127.0.0.1:${origin.port}`, outcome: "ok" },
  ]);
  assert.match(String(lines[0]!["detail"]), /\(default loopback: 127\.0\.0\.2\)$/);
  assert.match(String(lines[1]!["detail"]), /refused/);
  assert.equal(lines[0]!["address"], undefined);
  await chain.finish();
});

Deno.test("long streams have a line before they are over, which survives a killed server", async () => {
  await using chain = await Chain.start({ server: { audit_open_after: "1s" } });
  await using origin = startTcpOrigin(async (connection) => {
    await new ByteReader(connection).toEnd();
  });
  const target = `127.0.0.1:${origin.port}`;
  assert.match((await sendRequest(chain.proxyPort, "connect", "127.0.0.1", unusedPort())).text, /502/);
  const [short] = await auditLines(chain, 1);
  assert.equal(short!["event"], "stream");
  const ended = await openTunnel(chain.proxyPort, target);
  const [, open] = await auditLines(chain, 2);
  assert.deepEqual(
    [open!["event"], open!["target"], open!["address"], open!["outcome"]],
    ["open", target, "127.0.0.1", undefined],
  );
  ended.connection.close();
  const [, , end] = await auditLines(chain, 3);
  assert.deepEqual([end!["event"], end!["id"], end!["from"]], ["stream", open!["id"], open!["from"]]);
  assert.ok(Number(open!["duration_ms"]) >= 1_000);

  using cut = await openTunnel(chain.proxyPort, target, "ping");
  assert.equal(cut.status, 200);
  const left = await auditLines(chain, 4);
  await chain.server.stop("SIGKILL");
  const after = await auditLines(chain, 4);
  assert.deepEqual(after, left);
  const { event, id, client, from, bytes_in } = after[3]!;
  assert.deepEqual([event, client, from, bytes_in], ["open", "sallyport-client", open!["from"], 4]);
  assert.notEqual(id, open!["id"]);
});
