/**
 * Purpose: the demo does what the README says: it serves its curl line, and Ctrl-C, which a terminal sends to
 * every process of the group, stops it with exit code 0 and frees every port.
 */
import assert from "node:assert/strict";
import { curl } from "../support/curl.ts";
import { type Demo, FREE_PORTS, startDemo } from "../support/demo.ts";
import { proxyClient } from "../support/proxy_client.ts";
import { within } from "../support/within.ts";
import { assertFree } from "../support/zero.ts";

async function assertServes(demo: Demo): Promise<void> {
  const [program, ...args] = demo.lastLine.split(" ");
  assert.equal(program, "curl");
  const page = await curl(args);
  assert.equal(page.code, 0, page.errors);
  assert.match(page.text, /<h1>It works<\/h1>/);
  const [, proxy = "", url = ""] = args;
  const echo = await curl(["-x", proxy, "-d", "said twice", `${url}echo`]);
  assert.equal(echo.text, "said twice", echo.errors);
  using client = proxyClient(proxy);
  const socket = new WebSocket(`${url.replace("http", "ws")}ws`, { client });
  const heard = Promise.withResolvers<unknown>();
  socket.addEventListener("open", () => socket.send("hello"));
  socket.addEventListener("message", (event) => heard.resolve(event.data));
  assert.equal(await within(10_000, heard.promise, "an echo"), "hello");
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  socket.close();
  await within(10_000, closed, "the end of the WebSocket");
}

for (const to of ["process", "group"] as const) {
  Deno.test(`the demo serves its curl line and stops well when Ctrl-C goes to its ${to}`, async () => {
    await using demo = await startDemo(FREE_PORTS);
    await assertServes(demo);
    const { code } = await demo.interrupt(to);
    assert.equal(code, 0, demo.errors);
    assert.equal(demo.ports.length, 5);
    for (const port of demo.ports) assertFree(port);
  });
}

Deno.test("the demo names a port that is taken and its flag, and starts nothing", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const flags = FREE_PORTS.with(FREE_PORTS.indexOf("--health-port") + 1, String(port));
  await assert.rejects(startDemo(flags), (error: Error) => {
    assert.match(error.message, new RegExp(`ended with 1[^]*port ${port} .*in use.*--health-port`));
    return true;
  });
});
