import assert from "node:assert/strict";
import { SallyportError } from "../../shared/errors.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../tests/support/mux/memory_transport.ts";
import { RawPeer } from "../../tests/support/mux/raw_peer.ts";
import { ClosingConnections } from "./closing_connections.ts";

Deno.test("closing connections gives a bounded number of refused agents the reason, and leaves a share to others", async () => {
  const clock = new ManualClock();
  const closing = new ClosingConnections({ clock, maxConnections: 1, closed: () => {} });
  const refuse = (client: string) => {
    const [near, far] = MemoryTransport.pair();
    const peer = new RawPeer(near);
    closing.refuse(client, far, new SallyportError("limit_reached", "Cannot accept the agent"));
    return peer;
  };
  const greedy = Array.from({ length: 40 }, () => refuse("greedy"));
  const honest = refuse("honest");
  assert.deepEqual(closing.figures(), {
    ...{ total: 32, used: 32, largestShare: 31 },
    ...{ refused: 0, evicted: 9 },
  });
  assert.equal((await honest.next("goaway")).payload["code"], "limit_reached");
  for (const peer of [...greedy, honest]) peer.abort();
  await MemoryTransport.settled();
  assert.deepEqual([closing.count, clock.timers], [0, 0]);
});
