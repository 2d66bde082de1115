import assert from "node:assert/strict";
import { createServer } from "node:http";
import { SallyportError } from "../../shared/errors.ts";
import { withRunningAgent } from "./running_agent.ts";

const TAKEN = new SallyportError("internal", "Cannot listen", {
  cause: Object.assign(new Error("taken"), { code: "EADDRINUSE" }),
});

/** The error of a start if the console's port answers this. */
async function said(body: string): Promise<unknown> {
  const server = createServer((_, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    return await withRunningAgent(TAKEN, { consolePort: address.port, localProxyPort: 8080 });
  } finally {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}

const status = (host: string, port: number) =>
  JSON.stringify({ state: "ready", proxy: { host, port }, connections: 1, streams: 0, clients: 0 });

Deno.test("an error about a taken port names the agent whose console answers", async () => {
  const error = await said(status("::1", 8080));
  assert.ok(error instanceof SallyportError);
  assert.match(error.message, /another Sallyport agent already listens on \[::1\]:8080, /);
});

Deno.test("the answer of another program at the console's port is not shown", async () => {
  const bodies = [
    status("a\nsallyport-agent: all is well", 8080),
    status("\x1b[2J", 8080),
    status("", 8080),
    status("h".repeat(60_000), 8080),
    status("a", -1),
    status("a", 1e300),
    "<html>",
    "[".repeat(60_000),
    "x".repeat(70_000),
  ];
  for (const body of bodies) assert.equal(await said(body), TAKEN, body.slice(0, 100));
});
