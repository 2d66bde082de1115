import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { withReason } from "../../tests/support/with_reason.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import type { SallyportError } from "../errors.ts";
import { Handshakes } from "./handshakes.ts";

/** A TCP connection from a port of its own. */
class FakeTcp extends EventEmitter {
  destroyed = false;
  constructor(
    readonly remotePort: number,
    readonly remoteAddress: string,
    readonly localAddress = "192.0.2.9",
  ) {
    super();
  }
  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

function setUp(options: { limit?: number } = {}) {
  const refused: [SallyportError, string][] = [];
  const clock = new ManualClock();
  const handshakes = new Handshakes({
    clock,
    timeoutMs: 60_000,
    onRefused: (reason, remote) => refused.push([reason, remote]),
    ...options,
  });
  const begin = (port: number, remoteAddress = "192.0.2.1", localAddress?: string) => {
    const tcp = new FakeTcp(port, remoteAddress, localAddress);
    handshakes.begin(tcp as unknown as Socket);
    return tcp;
  };
  return { handshakes, refused, begin, clock };
}

/** The TLS socket on top of a TCP connection. */
function tlsOver(tcp: FakeTcp): TLSSocket {
  const { remoteAddress, remotePort, localAddress } = tcp;
  return {
    remoteAddress,
    remotePort,
    localAddress,
    _parent: tcp,
    destroy: () => tcp.destroy(),
  } as unknown as TLSSocket;
}

Deno.test("Handshakes refuses one above the limit and keeps the pending ones", () => {
  const { handshakes, refused, begin } = setUp({ limit: 2 });
  const [first, second, third] = [begin(1), begin(2), begin(3)];
  assert.deepEqual([first, second, third].map(({ destroyed }) => destroyed), [false, false, true]);
  withReason("limit_reached", /^Cannot begin a handshake: 2 are pending$/)(refused[0]![0]);
  assert.equal(handshakes.finished(tlsOver(first!)), "192.0.2.1");
  begin(4);
  assert.equal(refused.length, 1);
  handshakes.closeAll();
  assert.equal(handshakes.size, 0);
});

Deno.test("Handshakes reports an error once, also when the connection closed before", () => {
  const { handshakes, refused, begin } = setUp();
  const [early, late] = [begin(1), begin(2)];
  early.destroy();
  handshakes.failed(new Error("x"), tlsOver(early));
  handshakes.failed(new Error("x"), tlsOver(early));
  handshakes.failed(new Error("y"), tlsOver(late));
  assert.deepEqual(refused.map(([{ message }, remote]) => [message, remote]), [
    ["Cannot finish the handshake: x", "192.0.2.1"],
    ["Cannot finish the handshake: y", "192.0.2.1"],
  ]);
  assert.equal(late.destroyed, true);
  assert.equal(handshakes.size, 0);
});

Deno.test("Handshakes does not report a handshake that it closed, and never lets it finish", () => {
  const { handshakes, refused, begin } = setUp();
  const tcp = begin(1);
  handshakes.closeAll();
  handshakes.failed(new Error("x"), tlsOver(tcp));
  assert.equal(tcp.destroyed, true);
  assert.equal(handshakes.finished(tlsOver(tcp)), undefined);
  assert.deepEqual(refused, []);
});

Deno.test("Handshakes does not close a finished one", () => {
  const { handshakes, begin } = setUp();
  const tcp = begin(1);
  assert.equal(handshakes.finished(tlsOver(tcp)), "192.0.2.1");
  assert.equal(handshakes.size, 0);
  handshakes.closeAll();
  assert.equal(tcp.destroyed, false);
});

Deno.test("Handshakes evicts the oldest of the address with the most for another address", () => {
  const { handshakes, refused, begin } = setUp({ limit: 3 });
  const flood = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map((remote, port) => begin(port, remote));
  const agents = [begin(1, "198.51.100.1"), begin(2, "198.51.100.2")];
  assert.deepEqual(flood.map(({ destroyed }) => destroyed), [true, true, false], "a /64 is one address");
  assert.deepEqual(agents.map(({ destroyed }) => destroyed), [false, false]);
  const why = /^Cannot finish the handshake: 3 are pending, and its address has the most$/;
  withReason("limit_reached", why)(refused[0]![0]);
  assert.deepEqual(refused.map(([, remote]) => remote), ["2001:db8::1", "2001:db8::2"]);
  assert.equal(handshakes.finished(tlsOver(agents[0]!)), "198.51.100.1");
  assert.deepEqual(handshakes.figures(), { total: 3, used: 2, largestShare: 1, refused: 0, evicted: 2 });
  handshakes.closeAll();
});

Deno.test("Handshakes lets an address evict only its own that are older than a second", () => {
  const { handshakes, begin, clock } = setUp({ limit: 2 });
  const [first, second] = [begin(1), begin(2)];
  clock.advance(999);
  assert.equal(begin(3).destroyed, true);
  clock.advance(1);
  assert.deepEqual([begin(4).destroyed, first!.destroyed, second!.destroyed], [false, true, false]);
  handshakes.closeAll();
});

Deno.test("Handshakes distinguishes connections that differ only in the local address", () => {
  const { handshakes, begin } = setUp();
  const [first, second] = [begin(1, "192.0.2.1", "192.0.2.8"), begin(1, "192.0.2.1", "192.0.2.9")];
  assert.equal(handshakes.size, 2);
  assert.equal(handshakes.finished(tlsOver(first!)), "192.0.2.1");
  assert.equal(handshakes.size, 1);
  handshakes.closeAll();
  assert.deepEqual([first!.destroyed, second!.destroyed], [false, true]);
});

Deno.test("Handshakes closes one at its timeout, and leaves no timer", () => {
  const { handshakes, refused, begin, clock } = setUp();
  const [late, done] = [begin(1), begin(2)];
  handshakes.finished(tlsOver(done!));
  assert.equal(clock.timers, 1);
  clock.advance(60_000);
  assert.deepEqual([late!.destroyed, done!.destroyed, clock.timers], [true, false, 0]);
  withReason("tunnel_down", /not finished in 60000 ms$/)(refused[0]![0]);
});
