import assert from "node:assert/strict";
import { request } from "node:http";
import { SallyportError } from "../../errors.ts";
import { createDialer, type Dial } from "../dial/dial.ts";
import { createTargetPolicy } from "../../../server/targets/target_policy.ts";
import { eventually } from "../../../tests/support/eventually.ts";
import { socketClosed, SocketOrigin } from "../../../tests/support/origins/socket_origin.ts";
import { within } from "../../../tests/support/within.ts";
import { createOriginPool, type OriginPool, type OriginRequest } from "./origin_pool.ts";

const policy = createTargetPolicy({ allow: ["127.0.0.1"] });
const dial: Dial = createDialer({ policy, resolve: () => Promise.resolve(["127.0.0.1"]) });
const VIA: OriginRequest = { dial };

/** Sends one request, and resolves when the connection is idle or closed. */
async function ask(agent: OriginPool["kept"], port: number, host = "a.example"): Promise<void> {
  const asked = new Promise<void>((resolve, reject) => {
    const sent = request({ agent, host, port, headers: ["Host", host], ...VIA });
    sent.on("response", (response) => response.resume()).on("close", resolve).on("error", reject);
    sent.end();
  });
  await within(5_000, asked, "an answer");
}

async function withPool(
  idleMs: number,
  body: (pool: OriginPool, origin: SocketOrigin) => Promise<void>,
): Promise<void> {
  await using origin = await SocketOrigin.start();
  origin.serve((socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  const pool = createOriginPool({ idleMs });
  try {
    await body(pool, origin);
  } finally {
    pool.destroy();
  }
}

Deno.test("origin pool reuses a connection for the same host and port only", () =>
  withPool(60_000, async (pool, origin) => {
    await ask(pool.kept, origin.port);
    await ask(pool.kept, origin.port);
    assert.equal(origin.accepted, 1);
    await ask(pool.kept, origin.port, "b.example");
    assert.equal(origin.accepted, 2);
  }));

Deno.test("origin pool closes a fresh connection after its request", () =>
  withPool(60_000, async (pool, origin) => {
    await ask(pool.fresh, origin.port);
    await ask(pool.fresh, origin.port);
    assert.equal(origin.accepted, 2);
  }));

Deno.test("origin pool closes an idle connection", () =>
  withPool(20, async (pool, origin) => {
    await ask(pool.kept, origin.port);
    const target = await origin.next();
    target.on("end", () => target.end());
    await socketClosed(target);
    await ask(pool.kept, origin.port);
    assert.equal(origin.accepted, 2);
  }));

Deno.test("origin pool removes a connection that its origin closes", () =>
  withPool(60_000, async (pool, origin) => {
    await ask(pool.kept, origin.port);
    const target = await origin.next();
    const closed = socketClosed(target);
    target.end();
    await closed;
    await ask(pool.kept, origin.port);
    assert.equal(origin.accepted, 2);
  }));

Deno.test("origin pool passes on the dialer's error", () =>
  withPool(60_000, async (pool, origin) => {
    await assert.rejects(ask(pool.kept, origin.port, "10.0.0.1"), { code: "target_denied" });
  }));

function failureOf(pool: OriginPool, port: number, via: OriginRequest): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const sent = request({ agent: pool.kept, host: "a.example", port, headers: ["Host", "a.example"], ...via });
  sent.on("error", resolve).on("response", () => reject(new Error("it was answered")));
  sent.end();
  return within(5_000, promise, "the failure");
}

Deno.test("origin pool fails a request whose origin sent other bytes first", async () => {
  await using origin = await SocketOrigin.start();
  origin.serve((socket) => socket.write("SSH-2.0-OpenSSH_9.9\r\n"));
  const pool = createOriginPool();
  const failure = await failureOf(pool, origin.port, {
    async dial(host, port) {
      const socket = await dial(host, port);
      await eventually("its words came", () => assert.ok(socket.readableLength > 0));
      return socket;
    },
  });
  assert.equal(SallyportError.from(failure).code, "target_protocol");
  await eventually("no connection is left", () => assert.equal(pool.size, 0));
  pool.destroy();
});

Deno.test("origin pool fails a request whose connection was reset before it was used", async () => {
  await using origin = await SocketOrigin.start();
  const pool = createOriginPool();
  const failure = await failureOf(pool, origin.port, {
    async dial(host, port) {
      const socket = await dial(host, port);
      (await origin.next()).resetAndDestroy();
      await eventually("the connection fails", () => assert.ok(socket.closed));
      return socket;
    },
  });
  assert.equal((failure as { code?: string }).code, "ECONNRESET");
  await eventually("no connection is left", () => assert.equal(pool.size, 0));
  pool.destroy();
});
