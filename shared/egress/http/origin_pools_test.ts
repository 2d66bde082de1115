import assert from "node:assert/strict";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { eventually } from "../../../tests/support/eventually.ts";
import { SocketOrigin } from "../../../tests/support/origins/socket_origin.ts";
import { within } from "../../../tests/support/within.ts";
import { OriginPools, type OriginPoolsOptions } from "./origin_pools.ts";

function dial(_host: string, port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ port, host: "127.0.0.1" }, () => resolve(socket)).on("error", reject);
  return promise;
}

/** Sends one request for a client, and resolves when the connection is idle. */
async function ask(pools: OriginPools, client: string, port: number, host = "a.example"): Promise<void> {
  const { pool, end } = pools.lease(client);
  const asked = new Promise<void>((resolve, reject) => {
    const sent = request({ agent: pool.kept, host, port, headers: ["Host", host], ...{ dial } });
    sent.on("response", (response) => response.resume()).on("close", resolve).on("error", reject);
    sent.end();
  });
  await within(5_000, asked, "an answer");
  end();
}

async function withPools(
  options: OriginPoolsOptions,
  body: (pools: OriginPools, origin: SocketOrigin) => Promise<void>,
): Promise<void> {
  await using origin = await SocketOrigin.start();
  origin.serve((socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    socket.on("end", () => socket.end());
  });
  const pools = new OriginPools(options);
  try {
    await body(pools, origin);
  } finally {
    pools.destroy();
  }
}

Deno.test("origin pools do not share connections between clients", () =>
  withPools({}, async (pools, origin) => {
    await ask(pools, "a", origin.port);
    await ask(pools, "b", origin.port);
    assert.equal(origin.accepted, 2);
    await ask(pools, "a", origin.port);
    await ask(pools, "b", origin.port);
    assert.equal(origin.accepted, 2);
    assert.equal(pools.size, 2);
  }));

Deno.test("origin pools evict the oldest idle connection of the client that has the most", () =>
  withPools({ maxIdle: 3 }, async (pools, origin) => {
    await ask(pools, "honest", origin.port);
    for (const host of ["a", "b", "c", "d"]) await ask(pools, "greedy", origin.port, `${host}.example`);
    const { used, largestShare, evicted } = pools.figures();
    assert.deepEqual([used, largestShare, evicted], [3, 2, 2]);
    await ask(pools, "honest", origin.port);
    await ask(pools, "greedy", origin.port, "d.example");
    assert.equal(origin.accepted, 5, "these were kept");
    await ask(pools, "greedy", origin.port, "a.example");
    assert.equal(origin.accepted, 6, "this one was not");
  }));

Deno.test("origin pools shed a client's own idle connections, not those of clients with as many", () => {
  const evicted: number[] = [];
  const onEvict = ({ localPort }: Socket) => void evicted.push(localPort!);
  return withPools({ onEvict }, async (pools, origin) => {
    await ask(pools, "honest", origin.port);
    await ask(pools, "greedy", origin.port);
    await ask(pools, "greedy", origin.port, "b.example");
    assert.equal(pools.shed("greedy", 1), 1);
    assert.equal(pools.shed("greedy", 1), 1);
    await ask(pools, "honest", origin.port);
    assert.equal(origin.accepted, 3, "the connection of the other one was kept");
    assert.equal(evicted.length, 2);
    assert.deepEqual([pools.shed("greedy", 4), pools.figures().used], [1, 0], "whatever is unused gives way");
  });
});

Deno.test("origin pools keep a client's pool while it dials, and drop it when the dial fails", () =>
  withPools({}, async (pools, origin) => {
    const dialled = [Promise.withResolvers<Socket>(), Promise.withResolvers<Socket>()] as const;
    for (const [index, { promise }] of dialled.entries()) {
      const { pool, end } = pools.lease("a");
      const sent = request({ agent: pool.kept, host: "a.example", port: 1, ...{ dial: () => promise } });
      sent.on("error", () => {}).end();
      await eventually("it is dialled", () => assert.equal(pool.size, index + 1));
      sent.destroy();
      end();
    }
    const { pool, end } = pools.lease("a");
    assert.equal(pool.size, 2);
    end();
    assert.equal(pools.size, 1, "its connections may still come");
    dialled[0].resolve(await dial("", origin.port));
    dialled[1].reject(new Error("refused"));
    await eventually("one came", () => assert.equal(pool.size, 1));
    const again = pools.lease("a");
    assert.equal(again.pool, pool);
    again.end();
    pools.destroy();
    await eventually("the pool is dropped", () => assert.equal(pools.size, 0));
    const failing = pools.lease("b");
    const failed = Promise.withResolvers<Socket>();
    const sent = request({
      agent: failing.pool.kept,
      host: "b.example",
      port: 1,
      ...{ dial: () => failed.promise },
    });
    sent.on("error", () => {}).end();
    await eventually("it is dialled", () => assert.equal(failing.pool.size, 1));
    failing.end();
    assert.equal(pools.size, 1);
    failed.reject(new Error("refused"));
    await eventually("nothing of it is left", () => assert.equal(pools.size, 0));
  }));

Deno.test("origin pools drop a client's pool with its last stream and connection", () =>
  withPools({ idleMs: 20 }, async (pools, origin) => {
    const lease = pools.lease("a");
    await ask(pools, "a", origin.port);
    await eventually("no connection", () => assert.equal(lease.pool.size, 0));
    assert.equal(pools.size, 1, "a stream may still need it");
    assert.equal(pools.lease("a").pool, lease.pool);
    lease.end();
    lease.end();
    assert.equal(pools.size, 1, "the other lease remains");
    await ask(pools, "b", origin.port);
    await eventually("the pool of b is dropped", () => assert.equal(pools.size, 1));
    assert.equal(pools.figures().used, 0);
  }));
