import assert from "node:assert/strict";
import { showStatus } from "./status_command.ts";

async function errorOf(port: number): Promise<{ code: number; err: string }> {
  let err = "";
  const terminal = { out: assert.fail, err: (text: string) => void (err += text) };
  return { code: await showStatus(port, false, terminal), err };
}

Deno.test("status refuses an automatic console port", async () => {
  assert.deepEqual(await errorOf(0), {
    code: 2,
    err: "sallyport-agent: Cannot tell the console's address: console_port is 0; give it a number\n",
  });
});

Deno.test("status says that no agent listens and names the key", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  assert.deepEqual(await errorOf(port), {
    code: 1,
    err: `sallyport-agent: Cannot ask the agent at 127.0.0.1:${port}: the connection was refused; ` +
      "is it running, with this console_port?\n",
  });
});
