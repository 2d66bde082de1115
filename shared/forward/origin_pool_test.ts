import assert from "node:assert/strict";
import { request } from "node:http";
import { createDialer, type Dial } from "../targets/dial.ts";
import { createTargetPolicy } from "../../server/targets/policy.ts";
import { socketClosed, SocketOrigin } from "../../tests/support/socket_origin.ts";
import { within } from "../../tests/support/within.ts";
import { createOriginPool, type OriginPool, type OriginRequest } from "./origin_pool.ts";

const policy = createTargetPolicy({ allow: ["127.0.0.1"] });
const dial: Dial = createDialer({ policy, resolve: () => Promise.resolve(["127.0.0.1"]) });
const VIA: OriginRequest = { dial };

/** Asks the origin once, and resolves when the connection is free again or closed. */
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

Deno.test("origin pool closes a connection that is not used for a while", () =>
  withPool(20, async (pool, origin) => {
    await ask(pool.kept, origin.port);
    const target = await origin.next();
    target.on("end", () => target.end());
    await socketClosed(target);
    await ask(pool.kept, origin.port);
    assert.equal(origin.accepted, 2);
  }));

Deno.test("origin pool forgets a connection that its origin closes", () =>
  withPool(60_000, async (pool, origin) => {
    await ask(pool.kept, origin.port);
    const target = await origin.next();
    const closed = socketClosed(target);
    target.end();
    await closed;
    await ask(pool.kept, origin.port);
    assert.equal(origin.accepted, 2);
  }));

Deno.test("origin pool passes the dialer's refusal on", () =>
  withPool(60_000, async (pool, origin) => {
    await assert.rejects(ask(pool.kept, origin.port, "10.0.0.1"), { code: "target_denied" });
  }));
