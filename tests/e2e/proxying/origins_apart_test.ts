/**
 * Purpose: what one client sends to an origin never affects the responses to another client, even if the origin
 * ignores where requests end.
 */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startSecondAgent } from "../../support/programs/second_agent.ts";
import { SocketOrigin } from "../../support/origins/socket_origin.ts";

/** A request within the body of another one. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/** Reads a body as the next request. The response to the smuggled request is held until the next one. */
function ignoreBodies(socket: Socket): void {
  let text = "";
  let held = "";
  socket.on("data", (bytes: Uint8Array) => {
    text += new TextDecoder().decode(bytes);
    for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
      const path = text.split(" ")[1]!;
      text = text.slice(end + 4);
      const body = `for ${path}`;
      held += `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      if (path === "/smuggled") continue;
      socket.write(held);
      held = "";
    }
  });
}

Deno.test("a request smuggled in one client's body does not produce another client's response", async () => {
  await using chain = await Chain.start();
  await using other = await startSecondAgent(chain);
  await using origin = (await SocketOrigin.start()).serve(ignoreBodies);
  const url = `http://127.0.0.1:${origin.port}`;
  const posted = await curl(["-x", chain.proxyUrl, "--data-binary", SMUGGLED, `${url}/form`]);
  assert.equal(posted.text, "for /form");
  assert.equal((await curl(["-x", other.proxyUrl, `${url}/account`])).text, "for /account");
  assert.equal(origin.accepted, 2, "each client has a connection of its own");
  assert.equal((await curl(["-x", other.proxyUrl, `${url}/again`])).text, "for /again");
  assert.equal(origin.accepted, 2, "and keeps it");
  assert.equal((await other.agent.stop()).code, 0);
  await chain.finish();
});
