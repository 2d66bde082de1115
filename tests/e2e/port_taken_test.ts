/** Purpose: a port that is taken ends the start of a program with an error that names the port. */
import assert from "node:assert/strict";
import { Chain, type Keys } from "../support/chain.ts";

const KEYS = {
  server: ["listen_port", "health_port"],
  agent: ["local_proxy_port", "console_port"],
} as const;

for (const part of ["server", "agent"] as const) {
  for (const key of KEYS[part]) {
    Deno.test(`the ${part} says that its ${key} is taken`, async () => {
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
      assert.match(text, /port is taken/, "why");
      assert.doesNotMatch(text, /^\s+at .*:\d+:\d+/m, "no stack trace");
    });
  }
}
