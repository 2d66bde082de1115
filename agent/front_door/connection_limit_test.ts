/** Slow, silent and too many clients. */
import assert from "node:assert/strict";
import { answer } from "../../tests/support/clients/answer.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { type FrontDoorFixture, withFrontDoor } from "../../tests/support/clients/front_door.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";

const GET = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";

/** A clock that counts timers, which show what the front door has received. */
class CountingClock extends ManualClock {
  timersSet = 0;
  override after(ms: number, callback: () => void): () => void {
    this.timersSet++;
    return super.after(ms, callback);
  }
}

async function withClock(
  test: (fixture: FrontDoorFixture, clock: CountingClock) => Promise<void>,
): Promise<void> {
  const clock = new CountingClock();
  await withFrontDoor({ clock }, (fixture) => test(fixture, clock));
  assert.equal(clock.timers, 0, "no timer is left");
}

/** Waits until the front door has set so many timers. */
function timersSet(clock: CountingClock, timers: number): Promise<void> {
  return eventually(`${timers} timers`, () => assert.equal(clock.timersSet, timers));
}

Deno.test("client that sends nothing is closed after 30 s without a response", () =>
  withClock(async ({ client }, clock) => {
    const near = client();
    await timersSet(clock, 1);
    clock.advance(29_999);
    assert.equal(clock.timers, 1);
    clock.advance(1);
    assert.equal(await near.rest(), "");
  }));

Deno.test("request head that trickles gets 408 after 30 s, however often bytes arrive", () =>
  withClock(async ({ client }, clock) => {
    const near = client();
    await near.trickle("G");
    await timersSet(clock, 2);
    for (let second = 1; second < 30; second++) {
      await near.trickle(GET[second]!);
      clock.advance(1_000);
    }
    assert.equal(clock.timersSet, 2, "no byte restarts the timer");
    clock.advance(999);
    assert.equal(near.text, "");
    clock.advance(1);
    assert.match(await near.rest(), /^HTTP\/1\.1 408 Request Timeout\r\n[^]*took more than 30000 ms/);
    near.end();
  }));

Deno.test("SOCKS5 handshake that trickles is closed 30 s after its first byte", () =>
  withClock(async ({ client }, clock) => {
    const near = client();
    await near.trickle("\x05");
    await timersSet(clock, 2);
    clock.advance(15_000);
    await near.trickle("\x01\x00");
    assert.equal(await near.read(2), "\x05\x00");
    clock.advance(14_999);
    await near.trickle("\x05\x01");
    assert.equal(near.outcome, undefined);
    clock.advance(1);
    assert.equal(await near.rest(), "");
  }));

Deno.test("client over the limit is refused in its own protocol, and served when there is room again", () =>
  withFrontDoor({ maxConnections: 2 }, async ({ client, nextStream, refused, frontDoor }) => {
    const [first, second] = [client(), client()];
    await eventually("two clients", () => assert.equal(frontDoor.connectionCount, 2));
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
    await eventually("room", () => assert.equal(frontDoor.connectionCount, 1));
    const later = client();
    later.send(GET);
    answer(await nextStream(), 200, ["Content-Length", "2"], "ok");
    await later.readTo("ok");
    await first.close();
  }));

Deno.test("clients far over the limit are dropped without a response", () =>
  withFrontDoor({ maxConnections: 1 }, async ({ client, frontDoor }) => {
    const near = Array.from({ length: 80 }, client);
    await eventually("only those that get a refusal", () => {
      assert.equal(near.filter(({ outcome }) => outcome !== undefined).length, 80 - 65);
    });
    assert.equal(frontDoor.connectionCount, 65);
    for (const each of near) await each.close("reset");
  }));

Deno.test("client over the limit that sends nothing is closed after 2 s", () => {
  const clock = new CountingClock();
  return withFrontDoor({ maxConnections: 0, clock }, async ({ client }) => {
    const near = client();
    await timersSet(clock, 1);
    clock.advance(2_000);
    assert.equal(await near.rest(), "");
  });
});

Deno.test("SOCKS5 handshake that has stalled for a second is evicted for another client", () => {
  const clock = new CountingClock();
  return withFrontDoor({ maxConnections: 1, clock }, async ({ client, nextStream }) => {
    const half = client();
    half.send("\x05\x02");
    await timersSet(clock, 2);
    clock.advance(1_000);
    const late = client();
    assert.equal(await half.rest(), "");
    late.send(GET);
    answer(await nextStream(), 200, ["Content-Length", "2"], "ok");
    await late.readTo("ok");
    for (const each of [half, late]) await each.close();
  });
});

Deno.test("client over the limit replaces one that has been idle for a second", () => {
  const clock = new CountingClock();
  return withFrontDoor({ maxConnections: 2, clock }, async ({ client, nextStream, frontDoor }) => {
    const [silent, busy] = [client(), client()];
    await eventually("two clients", () => assert.equal(frontDoor.connectionCount, 2));
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
