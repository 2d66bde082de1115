import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { ConnectionLimiter } from "./connection_limiter.ts";

/** A socket that only remembers whether it was destroyed. */
class FakeSocket extends EventEmitter {
  destroyed = false;
  constructor(readonly remoteAddress: string) {
    super();
  }
  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

Deno.test("a shortage of descriptors closes connections without a request, and none with a response in progress", () => {
  const clock = new ManualClock();
  const connections = new ConnectionLimiter(clock);
  const open = (address: string) => {
    const socket = new FakeSocket(address);
    connections.add(socket as unknown as Socket);
    return socket;
  };
  const busy = ["192.0.2.1", "192.0.2.1", "192.0.2.1"].map(open);
  for (const socket of busy) connections.responding(socket as unknown as Socket);
  const silent = ["192.0.2.1", "192.0.2.2"].map(open);
  const late = new FakeSocket("192.0.2.3");
  assert.equal(connections.addCrowded(late as unknown as Socket), false);
  assert.deepEqual(silent.map(({ destroyed }) => destroyed), [true, true]);
  assert.deepEqual(busy.map(({ destroyed }) => destroyed), [false, false, false]);
  assert.equal(late.destroyed, true, "the responses in progress are enough");
  for (const socket of busy.splice(1)) socket.destroy();
  const next = new FakeSocket("192.0.2.3");
  assert.equal(connections.addCrowded(next as unknown as Socket), true);
  assert.deepEqual([busy[0]!.destroyed, connections.figures().evicted], [false, 2]);
  clock.advance(10_000);
  assert.deepEqual([connections.figures().used, clock.timers], [0, 0]);
});

Deno.test("a client that sends request after request gets no more time than for one", () => {
  const clock = new ManualClock();
  const connections = new ConnectionLimiter(clock);
  const socket = new FakeSocket("192.0.2.1");
  connections.add(socket as unknown as Socket);
  for (let request = 0; request < 4; request++) {
    clock.advance(1_500);
    connections.responding(socket as unknown as Socket);
  }
  assert.equal(socket.destroyed, false);
  clock.advance(500);
  assert.deepEqual([socket.destroyed, connections.figures().used, clock.timers], [true, 0, 0]);
});
