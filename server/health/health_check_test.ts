import assert from "node:assert/strict";
import { within } from "../../tests/support/within.ts";
import { askHealth } from "./health_check.ts";

/** Asks a server that answers with these bytes; returns the exit code and what was said. */
async function ask(answer: string) {
  await using stack = new AsyncDisposableStack();
  const listener = stack.adopt(Deno.listen({ hostname: "127.0.0.1", port: 0 }), (each) => each.close());
  const served = (async () => {
    using connection = await listener.accept();
    const buffer = new Uint8Array(1_024);
    const count = await connection.read(buffer);
    await connection.write(new TextEncoder().encode(answer));
    return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  })();
  let out = "", err = "";
  const terminal = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
  const { port } = listener.addr;
  const code = await within(10_000, askHealth({ host: "0.0.0.0", port }, terminal), "the check");
  return { code, out, err, request: await served };
}

Deno.test("the check of a ready server is 0, and prints the answer", async () => {
  const { code, out, request } = await ask('HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"state":"ready"}');
  assert.deepEqual([code, out], [0, '{"state":"ready"}\n']);
  assert.match(request, /^GET \/health HTTP\/1\.0\r\nHost: 127\.0\.0\.1\r\n\r\n$/);
});

Deno.test("the check of a draining server is 1, and prints the answer", async () => {
  const { code, out, err } = await ask('HTTP/1.0 503 Service Unavailable\r\n\r\n{"state":"draining"}');
  assert.deepEqual([code, out, err], [1, "", '{"state":"draining"}\n']);
});

Deno.test("an answer that is not HTTP, or too long, is 1", async () => {
  assert.match(
    (await ask("SSH-2.0\r\n")).err,
    /^sallyport-server: Cannot ask the server at 127\.0\.0\.1:\d+: the answer is not HTTP; is it /,
  );
  assert.match((await ask(`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(70_000)}`)).err, /more than 65536 bytes/);
});

Deno.test("the check of a server that does not listen says so and names the key", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  let err = "";
  const terminal = { out: assert.fail, err: (text: string) => void (err += text) };
  assert.equal(await askHealth({ host: "127.0.0.1", port: 0 }, terminal), 2);
  assert.match(err, /health_port is 0; give it a number/);
  err = "";
  assert.equal(await askHealth({ host: "127.0.0.1", port }, terminal), 1);
  assert.equal(
    err,
    `sallyport-server: Cannot ask the server at 127.0.0.1:${port}: the connection was refused; ` +
      "is it running, with this health_port?\n",
  );
});

Deno.test("the check loads little: no configuration, no TLS, no library", async () => {
  const seen = new Set<string>();
  const load = async (url: URL): Promise<void> => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    const text = (await Deno.readTextFile(url)).replaceAll(/^import type .*$/gm, "");
    for (const [, name] of text.matchAll(/^(?:import|export) [^;]*from "([^"]+)";/gm)) {
      if (name === "node:buffer") continue; // part of the runtime, loaded at every start
      assert.match(name!, /^\.\.?\//, `${url.pathname} imports ${name}`);
      await load(new URL(name!, url));
    }
  };
  await load(new URL("../main.ts", import.meta.url));
  assert.ok(seen.size > 3, [...seen].join());
});
