import assert from "node:assert/strict";
import type { RawClient } from "../../../tests/support/clients/raw_client.ts";
import {
  assertEndsInOrder,
  type FrontDoorFixture,
  withFrontDoor,
} from "../../../tests/support/clients/front_door.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";

const ACK = { type: "connect_ack", payload: {} } as const;
const REFUSED = {
  type: "connect_ack",
  payload: { error: { code: "target_refused", message: "Cannot dial a.test:443" } },
} as const;

/** The ways to ask for a tunnel to `a.test:443`, and the answers. */
const KINDS = {
  CONNECT: {
    protocol: "connect",
    request: "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n",
    established: "HTTP/1.1 200 Connection established\r\n\r\n",
    refused: "HTTP/1.1 502 ",
  },
  SOCKS5: {
    protocol: "socks5",
    request: "\x05\x01\x00\x05\x01\x00\x03\x06a.test\x01\xbb",
    established: "\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00",
    refused: "\x05\x00\x05\x05",
  },
};
type Kind = (typeof KINDS)[keyof typeof KINDS];

/** Opens a tunnel whose target the server reaches, and ends it. */
async function reach(
  { client, nextStream }: FrontDoorFixture,
  { request, established }: Kind,
): Promise<void> {
  const near = client();
  near.send(request);
  const far = await nextStream();
  far.stream.send(ACK, undefined, { end: true });
  assert.equal(await near.rest(), established);
  near.end();
  assert.equal(await far.over(), undefined);
}

/** Asks for a tunnel and asserts that the client waits for the server: it gets the refusal instead of a reset. */
async function assertWaits(door: FrontDoorFixture, kind: Kind): Promise<void> {
  const { near, far } = await ask(door, kind);
  far.stream.send(REFUSED, undefined, { end: true });
  const answer = await near.rest();
  assert.ok(answer.startsWith(kind.refused), answer);
  near.end();
  assert.equal(await far.over(), undefined);
}

/** Asks for a tunnel; returns the client and the server's end, which has not answered. */
async function ask({ client, nextStream }: FrontDoorFixture, { request }: Kind, early = "") {
  const near: RawClient = client();
  near.send(request + early);
  return { near, far: await nextStream() };
}

for (const [name, kind] of Object.entries(KINDS)) {
  const { protocol, established } = kind;

  Deno.test(`${name} to a host that was reached is answered before the server answers`, () =>
    withFrontDoor({}, async (door) => {
      await reach(door, kind);
      const { near, far } = await ask(door, kind, "one ");
      assert.equal(await near.read(established.length), established);
      near.send("two");
      assert.equal(await far.read(7), "one two");
      far.stream.send(ACK, new TextEncoder().encode("220 "));
      far.write("hello");
      assert.equal(await near.read(9), "220 hello");
      await assertEndsInOrder(near, far);
      const { hosts, answered, failed } = door.frontDoor.eager!;
      assert.deepEqual([hosts.size, answered, failed], [1, 1, 0]);
    }));

  Deno.test(`${name} resets the client when a target is not reached after an early answer, and refuses the next`, () =>
    withFrontDoor({}, async (door) => {
      await reach(door, kind);
      const { near, far } = await ask(door, kind);
      assert.equal(await near.read(established.length), established);
      near.send("hello");
      assert.equal(await far.read(5), "hello");
      far.stream.send(REFUSED, undefined, { end: true });
      assert.equal(await near.rest(), "");
      assert.equal(near.outcome, "reset");
      assert.equal(await far.over(), undefined, "in order, as after any refusal");
      await assertWaits(door, kind);
      assert.deepEqual(
        door.refused.map(({ protocol, target, error, answeredEarly }) => [
          ...[protocol, target, error.code, answeredEarly],
        ]),
        [
          [protocol, "a.test:443", "target_refused", true],
          [protocol, "a.test:443", "target_refused", undefined],
        ],
      );
      const { hosts, answered, failed } = door.frontDoor.eager!;
      assert.deepEqual([hosts.size, answered, failed], [0, 1, 1]);
    }));

  Deno.test(`${name} waits for the server without eager`, () =>
    withFrontDoor({ eager: false }, async (door) => {
      await reach(door, kind);
      await assertWaits(door, kind);
      assert.equal(door.frontDoor.eager, undefined);
    }));
}

Deno.test("a client that goes away after an early answer cancels its stream, and the host stays remembered", () =>
  withFrontDoor({}, async (door) => {
    await reach(door, KINDS.CONNECT);
    const { near, far } = await ask(door, KINDS.CONNECT);
    await near.readTo("\r\n\r\n");
    await near.close("reset");
    assert.equal((await far.over())?.code, "cancelled");
    const { hosts, failed } = door.frontDoor.eager!;
    assert.deepEqual([hosts.size, failed, door.refused], [1, 0, []]);
  }));

Deno.test("a stream that is reset before the response resets the client that was answered early", () =>
  withFrontDoor({}, async (door) => {
    await reach(door, KINDS.CONNECT);
    const { near, far } = await ask(door, KINDS.CONNECT);
    await near.readTo("\r\n\r\n");
    far.stream.reset("limit_reached", "too many");
    await near.rest();
    assert.equal(near.outcome, "reset");
    assert.deepEqual(door.refused.map(({ error }) => error.code), ["limit_reached"]);
    assert.equal(door.frontDoor.eager!.hosts.size, 0);
  }));

Deno.test("a tunnel that waits for the server is remembered only when it was reached", () =>
  withFrontDoor({}, async (door) => {
    await assertWaits(door, KINDS.CONNECT);
    await assertWaits(door, KINDS.SOCKS5);
    await reach(door, KINDS.CONNECT);
    await reach(door, KINDS.SOCKS5);
    assert.equal(door.frontDoor.eager!.answered, 1);
  }));

Deno.test("a host is answered early for 10 minutes", () => {
  const clock = new ManualClock();
  return withFrontDoor({ clock }, async (door) => {
    await reach(door, KINDS.CONNECT);
    clock.advance(600_000);
    await assertWaits(door, KINDS.CONNECT);
  });
});

Deno.test("the log of a refusal says that the tunnel was answered early", () => {
  const lines: unknown[] = [];
  const info = (...line: unknown[]) => void lines.push(line);
  return withFrontDoor({ log: { debug() {}, info, warn() {} } }, async (door) => {
    await reach(door, KINDS.CONNECT);
    for (const _ of ["early", "as usual"]) {
      const { near, far } = await ask(door, KINDS.CONNECT);
      far.stream.send(REFUSED, undefined, { end: true });
      await near.rest();
      near.end();
    }
    const fields = {
      ...{ protocol: "connect", target: "a.test:443", code: "target_refused" },
      error: "Cannot dial a.test:443",
    };
    assert.deepEqual(lines, [
      ["request refused", { ...fields, answered_early: true }],
      ["request refused", fields],
    ]);
  });
});
