/** Purpose: a program does not start if a port is taken, and its error names the port. */
import assert from "node:assert/strict";
import { Chain, type Keys } from "../../support/programs/chain.ts";

const KEYS = {
  server: ["listen_port", "health_port"],
  agent: ["local_proxy_port", "console_port"],
} as const;

for (const part of ["server", "agent"] as const) {
  for (const key of KEYS[part]) {
    Deno.test(`the ${part} reports that its ${key} is taken`, async () => {
      using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = taken.addr;
      const keys: Keys = { [key]: port };
      await using chain = await Chain.prepare({ [part]: keys });
      if (part === "agent") await chain.startServer();
      const start = part === "server" ? chain.startServer() : chain.startAgent();
      await assert.rejects(start, /the program ended/);
      const { code } = await chain[part].ended;
      assert.notEqual(code, 0);
      const text = chain[part].log.text;
      assert.match(text, new RegExp(`\\b${port}\\b`), "the port");
      assert.match(text, /port is in use/, "why");
      assert.match(text, new RegExp(`stop that program, or set ${key} to another port`), "what to do");
      assert.doesNotMatch(text, /^\s+at .*:\d+:\d+/m, "no stack trace");
    });
  }
}

Deno.test("a second agent with the same ports reports the other agent", async () => {
  await using chain = await Chain.start();
  const ports = {
    server_port: chain.serverPort,
    local_proxy_port: chain.proxyPort,
    console_port: chain.consolePort,
  };
  await using second = await Chain.prepare({ agent: ports });
  await assert.rejects(second.startAgent(), /the program ended/);
  const words =
    `Cannot start: another Sallyport agent already listens on 127.0.0.1:${chain.proxyPort}, with its console`;
  assert.ok(second.agent.log.text.includes(`sallyport-agent: ${words}`), second.agent.log.text);
  assert.equal((await second.agent.ended).code, 1);
  await chain.finish();
});
