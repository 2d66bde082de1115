/** Purpose: WebSockets work over `Upgrade` (ws://) and through CONNECT (wss://), including their close codes. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { echoWebSocket, startHttpOrigin } from "../../support/origins/http_origin.ts";
import { proxyClient } from "../../support/clients/proxy_client.ts";
import { servingCertificate } from "../../support/pki/serving_certificate.ts";
import { testBytes } from "../../support/test_bytes.ts";
import { within } from "../../support/within.ts";

/** Sends text and bytes of several sizes, expects each of them back, and closes with a code and a reason. */
async function exchange(url: string, client: Deno.HttpClient): Promise<CloseEvent> {
  const socket = new WebSocket(url, { client });
  socket.binaryType = "arraybuffer";
  await event(socket, "open");
  for (const message of ["", "text ✓", "x".repeat(300_000)]) {
    const echo = event<MessageEvent>(socket, "message");
    socket.send(message);
    assert.equal((await echo).data, message);
  }
  for (const size of [1, 125, 126, 65_536, 2_000_000]) {
    const echo = event<MessageEvent>(socket, "message");
    socket.send(testBytes(size));
    assert.deepEqual(new Uint8Array((await echo).data), testBytes(size));
  }
  const closed = event<CloseEvent>(socket, "close");
  socket.close(4321, "enough");
  return await closed;
}

function event<T extends Event>(socket: WebSocket, name: string): Promise<T> {
  const received = Promise.withResolvers<T>();
  socket.addEventListener(name, (event) => received.resolve(event as T), { once: true });
  socket.addEventListener("error", (event) => received.reject((event as ErrorEvent).error ?? event), {
    once: true,
  });
  return within(15_000, received.promise, `WebSocket event ${name}`);
}

Deno.test("a ws:// WebSocket passes over Upgrade with messages and close code unchanged", async () => {
  await using chain = await Chain.start();
  const via: (string | null)[] = [];
  const closed = Promise.withResolvers<CloseEvent>();
  await using origin = startHttpOrigin((request) => {
    via.push(request.headers.get("via"));
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", (event) => socket.send(event.data));
    socket.addEventListener("close", closed.resolve);
    return response;
  });
  using client = proxyClient(chain.proxyUrl);
  const { code, reason, wasClean } = await exchange(`ws://${origin.host}/chat?room=1`, client);
  assert.deepEqual({ code, reason, wasClean }, { code: 4321, reason: "enough", wasClean: true });
  const seen = await within(5000, closed.promise, "close at the origin");
  assert.deepEqual([seen.code, seen.reason], [4321, "enough"]);
  assert.match(via[0] ?? "", /^1\.1 /, "the request came through the proxy");
  await chain.finish();
});

Deno.test("a wss:// WebSocket passes through CONNECT", async () => {
  await using chain = await Chain.start();
  const { ca, ...tls } = await servingCertificate();
  await using origin = startHttpOrigin(echoWebSocket, tls);
  using client = proxyClient(chain.proxyUrl, ca);
  const { code, reason } = await exchange(`wss://${origin.host}/`, client);
  assert.deepEqual([code, reason], [4321, "enough"]);
  await chain.finish();
});

Deno.test("a close from the origin keeps its code", async () => {
  await using chain = await Chain.start();
  await using origin = startHttpOrigin((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.addEventListener("open", () => socket.close(3001, "go away"));
    return response;
  });
  using client = proxyClient(chain.proxyUrl);
  const closed = await event<CloseEvent>(new WebSocket(`ws://${origin.host}/`, { client }), "close");
  assert.deepEqual([closed.code, closed.reason], [3001, "go away"]);
  await chain.finish();
});
