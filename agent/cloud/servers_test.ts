import assert from "node:assert/strict";
import { Servers } from "./servers.ts";

const A = { host: "192.0.2.1", port: 443 };
const B = { host: "192.0.2.2", port: 443 };
const first = () => 0;

function servers(...list: typeof A[]): Servers {
  const all = new Servers();
  all.replace(list);
  return all;
}

Deno.test("servers with equally many connections are picked at random", () => {
  const all = servers(A, B);
  assert.deepEqual([all.pick(first), all.pick(() => 0.99)], [A, B]);
});

Deno.test("the server with the fewest connections is picked", () => {
  const all = servers(A, B);
  all.connected(A);
  assert.deepEqual(all.pick(first), B);
  all.connected(B);
  all.disconnected(A);
  assert.deepEqual(all.pick(() => 0.99), A);
});

Deno.test("a server that failed is picked after the others, until a new list", () => {
  const all = servers(A, B);
  all.failed(A);
  assert.deepEqual(all.pick(first), B);
  assert.equal(all.hasPromising, true);
  all.failed(B);
  assert.equal(all.hasPromising, false);
  assert.deepEqual(all.pick(first), A);
  all.replace([A, B]);
  assert.equal(all.hasPromising, true);
});

Deno.test("a connection clears the failed state, and a new list keeps connection counts", () => {
  const all = servers(A, B);
  all.failed(A);
  all.connected(A);
  assert.equal(all.hasPromising, true);
  all.replace([B, A]);
  assert.deepEqual(all.pick(() => 0.99), B);
});

Deno.test("events of a server that is no longer listed change nothing", () => {
  const all = servers(A);
  for (const event of ["connected", "disconnected", "failed"] as const) all[event](B);
  assert.deepEqual(all.all, [A]);
  assert.equal(servers().pick(), undefined);
});
