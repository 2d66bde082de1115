/**
 * Purpose: targets that reset during a response, accept and stay silent, or close without an answer are reported as
 * such, and do not affect other transfers.
 */
import assert from "node:assert/strict";
import type { Chain } from "../support/programs/chain.ts";
import { curl, type CurlResult } from "../support/clients/curl.ts";
import { startFaultOrigins } from "../support/faults/fault_origins.ts";
import { withFault } from "../support/faults/fault_scene.ts";
import { Pattern } from "../support/faults/pattern.ts";
import { SocketOrigin } from "../support/origins/socket_origin.ts";
import { assertAllComplete, Traffic } from "../support/faults/traffic.ts";
import { openTunnel } from "../support/clients/tunnel_client.ts";
import type { Socket } from "node:net";

/** The server's idle timeout in these tests, in milliseconds. */
const IDLE = 1_000;
/** Milliseconds until it must have fired: timers are coarse, machines busy. */
const SOON = 3 * IDLE;

/** Exit codes of curl for a broken transfer: partial file, receive error. */
const BROKEN = [18, 56];

/** Runs `test` during transfers that must complete. */
async function duringTransfers(
  idle: string | undefined,
  test: (chain: Chain) => Promise<void>,
): Promise<void> {
  const server = idle === undefined ? {} : { idle_timeout: idle };
  await withFault({ server }, async ({ chain, figure }) => {
    await using origins = startFaultOrigins(new Pattern(256));
    await using traffic = new Traffic(chain, origins, 1);
    await traffic.flowing();
    const began = performance.now();
    await test(chain);
    figure("ms in all", Math.round(performance.now() - began));
    assertAllComplete(await traffic.results(), origins);
    assert.deepEqual(traffic.refused, []);
  });
}

/** A target that does `act` after it has read a request's head. */
async function targetThat(act: (socket: Socket) => void): Promise<SocketOrigin> {
  return (await SocketOrigin.start()).serve((socket) => void socket.once("data", () => act(socket)));
}

function get(chain: Chain, target: SocketOrigin, ...more: string[]): Promise<CurlResult> {
  return curl(["-x", chain.proxyUrl, "-i", ...more, `http://127.0.0.1:${target.port}/`]);
}

const UPGRADE = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13"]
  .concat("-H", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==");

const BODIES = {
  "with a length": "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\npart",
  "in chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
  "to the end of the connection": "HTTP/1.1 200 OK\r\n\r\npart",
  "of a WebSocket":
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\npart",
};

Deno.test("a target that resets during a body breaks the transfer for every kind of client", async () => {
  await duringTransfers(undefined, async (chain) => {
    for (const [what, answer] of Object.entries(BODIES)) {
      await using target = await targetThat((socket) =>
        void socket.write(answer, () => socket.resetAndDestroy())
      );
      const more = what.includes("WebSocket") ? UPGRADE : [];
      const plain = await get(chain, target, ...more);
      assert.ok(
        BROKEN.includes(plain.code) || / 502 /.test(plain.text),
        `${what}: ${plain.code} ${plain.text}`,
      );
      const tunnelled = await get(chain, target, "-p", ...more);
      assert.ok(BROKEN.includes(tunnelled.code), `${what}, through CONNECT: ${tunnelled.code}`);
    }
  });
});

Deno.test("a target that accepts and stays silent is 504, or a reset, after idle_timeout", async () => {
  await duringTransfers(`${IDLE}ms`, async (chain) => {
    await using silent = await SocketOrigin.start();
    const began = performance.now();
    const [plain, webSocket, tunnelled] = await Promise.all([
      get(chain, silent),
      get(chain, silent, ...UPGRADE),
      get(chain, silent, "-p"),
    ]);
    for (const { text, errors } of [plain, webSocket]) {
      assert.match(text, /^HTTP\/1\.1 504 [^]*\r\nProxy-Status: [^\r\n]*error=connection_timeout/, errors);
    }
    assert.ok(BROKEN.includes(tunnelled.code), `the tunnel is reset: ${tunnelled.code}`);
    const took = performance.now() - began;
    assert.ok(took >= IDLE && took < IDLE + SOON, `after ${took} ms`);
  });
});

Deno.test("a target that falls silent during a body or in a tunnel breaks the transfer after idle_timeout", async () => {
  await duringTransfers(`${IDLE}ms`, async (chain) => {
    for (const [what, answer] of Object.entries(BODIES)) {
      await using target = await targetThat((socket) => void socket.write(answer));
      const more = what.includes("WebSocket") ? UPGRADE : [];
      const [plain, tunnelled] = await Promise.all([
        get(chain, target, ...more),
        get(chain, target, "-p", ...more),
      ]);
      for (const { code } of [plain, tunnelled]) assert.ok(BROKEN.includes(code), `${what}: ${code}`);
    }
  });
});

Deno.test("a target that closes without an answer is 502, and an end for a tunnel", async () => {
  await duringTransfers(undefined, async (chain) => {
    await using target = await targetThat((socket) => void socket.end());
    for (const { text, errors } of [await get(chain, target), await get(chain, target, ...UPGRADE)]) {
      assert.match(text, /^HTTP\/1\.1 502 [^]*\r\nProxy-Status: [^\r\n]*error=/, errors);
    }
    assert.equal((await get(chain, target, "-p")).code, 52, "curl: the target's reply was empty");
    await using brief = await SocketOrigin.start();
    using tunnel = await openTunnel(chain.proxyPort, `127.0.0.1:${brief.port}`);
    (await brief.next()).end();
    assert.equal((await tunnel.reader.toEnd()).length, 0, "a target may end without a byte");
  });
});
