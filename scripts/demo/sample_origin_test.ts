import assert from "node:assert/strict";
import { startSampleOrigin } from "./sample_origin.ts";

Deno.test("startSampleOrigin serves a page whose pictures exist", async () => {
  const origin = startSampleOrigin();
  const base = `http://127.0.0.1:${origin.port}`;
  const page = await (await fetch(`${base}/`)).text();
  const pictures = [...page.matchAll(/<img src="([^"]+)"/g)].map(([, path]) => path);
  assert.equal(pictures.length, 2);
  for (const path of pictures) {
    const response = await fetch(`${base}${path}`);
    assert.match(response.headers.get("content-type") ?? "", /^image\//);
    assert.ok((await response.bytes()).length > 50);
  }
  const missing = await fetch(`${base}/missing`);
  assert.deepEqual([missing.status, await missing.text()], [404, "not found: /missing\n"]);
  await origin.stop();
});

Deno.test("startSampleOrigin echoes POST bodies and WebSocket messages", async () => {
  const origin = startSampleOrigin();
  const host = `127.0.0.1:${origin.port}`;
  const response = await fetch(`http://${host}/echo`, { method: "POST", body: "ping" });
  assert.equal(await response.text(), "ping");
  const socket = new WebSocket(`ws://${host}/ws`);
  socket.onopen = () => socket.send("pong");
  const message = await new Promise((resolve) => socket.onmessage = (event) => resolve(event.data));
  assert.equal(message, "pong");
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  await origin.stop();
  assert.equal((await closed).code, 1001);
  Deno.listen({ hostname: "127.0.0.1", port: origin.port }).close();
});
