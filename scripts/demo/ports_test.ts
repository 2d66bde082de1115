import assert from "node:assert/strict";
import { claimPorts, DEMO_PORTS, type DemoPorts } from "./ports.ts";

const FREE: DemoPorts = { proxyPort: 0, serverPort: 0, consolePort: 0, healthPort: 0, originPort: 0 };

Deno.test("claimPorts replaces zeros by five different free ports", () => {
  const ports = Object.values(claimPorts(FREE));
  assert.equal(new Set(ports).size, 5);
  for (const port of ports) {
    assert.ok(port > 0);
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  }
});

for (const { key, flag } of DEMO_PORTS) {
  Deno.test(`claimPorts names a port in use and ${flag}`, () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    assert.throws(() => claimPorts({ ...FREE, [key]: port }), (error: Error) => {
      assert.match(error.message, new RegExp(`port ${port} .*is already in use; .*${flag} `));
      return true;
    });
  });
}

Deno.test("claimPorts refuses the same port for two purposes", () => {
  const { proxyPort } = claimPorts(FREE);
  assert.throws(() => claimPorts({ ...FREE, proxyPort, originPort: proxyPort }), /--origin-port/);
});
