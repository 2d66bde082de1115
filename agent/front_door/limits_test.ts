/** Clients that are slow, silent, or many. */
import assert from "node:assert/strict";
import { answer } from "../../tests/support/answer.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { type FrontDoorBench, withFrontDoor } from "../../tests/support/front_door.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";

const GET = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";

/** A clock that tells how often a timer was set: how the test knows what the door has seen. */
class CountingClock extends ManualClock {
  timersSet = 0;
  override after(ms: number, callback: () => void): () => void {
    this.timersSet++;
    return super.after(ms, callback);
  }
}

async function clocked(test: (bench: FrontDoorBench, clock: CountingClock) => Promise<void>): Promise<void> {
  const clock = new CountingClock();
  await withFrontDoor({ clock }, (bench) => test(bench, clock));
  assert.equal(clock.timers, 0, "no timer is left");
}

/** Waits until the door has set so many timers. */
function seen(clock: CountingClock, timers: number): Promise<void> {
  return eventually(`${timers} timers`, () => assert.equal(clock.timersSet, timers));
}

Deno.test("client that says nothing is closed after 30 s, in silence", () =>
  clocked(async ({ client }, clock) => {
    const near = client();
    await seen(clock, 1);
    clock.advance(29_999);
    assert.equal(clock.timers, 1);
    clock.advance(1);
    assert.equal(await near.rest(), "");
  }));

Deno.test("request head that trickles is 408 after 30 s, however busily it does", () =>
  clocked(async ({ client }, clock) => {
    const near = client();
    await near.trickle("G");
    await seen(clock, 2);
    for (let second = 1; second < 30; second++) {
      await near.trickle(GET[second]!);
      clock.advance(1_000);
    }
    assert.equal(clock.timersSet, 2, "no byte sets the clock back");
    clock.advance(999);
    assert.equal(near.text, "");
    clock.advance(1);
    assert.match(await near.rest(), /^HTTP\/1\.1 408 Request Timeout\r\n[^]*took more than 30000 ms/);
    near.end();
  }));

Deno.test("SOCKS5 handshake that trickles is closed 30 s after its first byte", () =>
  clocked(async ({ client }, clock) => {
    const near = client();
    await near.trickle("\x05");
    await seen(clock, 2);
    clock.advance(15_000);
    await near.trickle("\x01\x00");
    assert.equal(await near.read(2), "\x05\x00");
    clock.advance(14_999);
    await near.trickle("\x05\x01");
    assert.equal(near.outcome, undefined);
    clock.advance(1);
    assert.equal(await near.rest(), "");
  }));

Deno.test("client beyond the limit is told so in its own protocol, and finds room again later", () =>
  withFrontDoor({ maxConnections: 2 }, async ({ client, nextStream, refused, door }) => {
    const [first, second] = [client(), client()];
    await eventually("two clients", () => assert.equal(door.connectionCount, 2));
    const [http, socks] = [client(), client()];
    http.send(GET);
    assert.match(
      await http.rest(),
      /^HTTP\/1\.1 503 Service Unavailable\r\n[^]*error=connection_limit_reached[^]*2 are connected[^]*the agent, on this machine/,
    );
    socks.send("\x05\x01\x00");
    assert.equal(await socks.rest(), "\x05\xff");
    assert.deepEqual(
      refused.map(({ protocol, error }) => [protocol, error.code]),
      [["http", "limit_reached"], ["socks5", "limit_reached"]],
    );
    for (const each of [http, socks, second]) await each.close();
    await eventually("room", () => assert.equal(door.connectionCount, 1));
    const later = client();
    later.send(GET);
    answer(await nextStream(), 200, ["Content-Length", "2"], "ok");
    await later.readTo("ok");
    await first.close();
  }));

Deno.test("clients far beyond the limit are cut without a word", () =>
  withFrontDoor({ maxConnections: 1 }, async ({ client, door }) => {
    const near = Array.from({ length: 80 }, client);
    await eventually("only those who are told", () => {
      assert.equal(near.filter(({ outcome }) => outcome !== undefined).length, 80 - 65);
    });
    assert.equal(door.connectionCount, 65);
    for (const each of near) await each.close("reset");
  }));

Deno.test("client beyond the limit that says nothing is closed after 2 s", () => {
  const clock = new CountingClock();
  return withFrontDoor({ maxConnections: 0, clock }, async ({ client }) => {
    const near = client();
    await seen(clock, 1);
    clock.advance(2_000);
    assert.equal(await near.rest(), "");
  });
});

Deno.test("SOCKS5 handshake that has stopped for a second gives way to a client", () => {
  const clock = new CountingClock();
  return withFrontDoor({ maxConnections: 1, clock }, async ({ client, nextStream }) => {
    const half = client();
    half.send("\x05\x02");
    await seen(clock, 2);
    clock.advance(1_000);
    const late = client();
    assert.equal(await half.rest(), "");
    late.send(GET);
    answer(await nextStream(), 200, ["Content-Length", "2"], "ok");
    await late.readTo("ok");
    for (const each of [half, late]) await each.close();
  });
});

Deno.test("client beyond the limit gets the place of one that has been idle for a second", () => {
  const clock = new CountingClock();
  return withFrontDoor({ maxConnections: 2, clock }, async ({ client, nextStream, door }) => {
    const [silent, busy] = [client(), client()];
    await eventually("two clients", () => assert.equal(door.connectionCount, 2));
    busy.send(GET);
    const stream = await nextStream();
    clock.advance(1_000);
    const late = client();
    assert.equal(await silent.rest(), "");
    late.send(GET);
    answer(await nextStream(), 200, ["Content-Length", "2"], "ok");
    await late.readTo("ok");
    answer(stream, 200, ["Content-Length", "4"], "busy");
    await busy.readTo("busy");
    for (const each of [silent, busy, late]) await each.close();
  });
});
