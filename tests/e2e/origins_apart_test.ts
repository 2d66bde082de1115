/**
 * Purpose: what one client says to an origin never decides what another client gets, though the origin ignores where
 * requests end.
 */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Chain } from "../support/chain.ts";
import { curl } from "../support/curl.ts";
import { startOtherAgent } from "../support/other_agent.ts";
import { SocketOrigin } from "../support/socket_origin.ts";

/** A request within the body of another one. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/** Takes a body for the next request. The answer to the smuggled one is slow: it leaves with the next. */
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

Deno.test("a request in the body of one client's request does not answer another client", async () => {
  await using chain = await Chain.start();
  await using other = await startOtherAgent(chain);
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
