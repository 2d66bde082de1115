/** Whatever arrives, however it is split, a SOCKS5 handshake answers as in RFC 1928 and RFC 1929. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createAuthorize } from "../../agent/front_door/client/proxy_auth.ts";
import { Socks5Handshake, type Socks5Step } from "../../agent/front_door/socks/socks5_handshake.ts";

/** Cases of each property. */
const RUNS = 5_000;
/** The most bytes of a handshake: 2 + 255 methods, 3 + 255 + 255, 7 + 255 of the request. */
const MAX_LENGTH = 257 + 513 + 262;

const encoder = new TextEncoder();
const authorize = createAuthorize({ user: "u", password: "p" });
const LOGIN = [1, 1, 117, 1, 112];

const byte = fc.integer({ min: 0, max: 255 });
const counted = (arbitrary: fc.Arbitrary<number>, max: number) =>
  fc.array(arbitrary, { maxLength: max }).map((bytes) => [bytes.length, ...bytes]);
const greeting = fc.oneof(counted(fc.constantFrom(0, 1, 2, 255), 4), counted(byte, 20)).map((
  rest,
) => [5, ...rest]);
const login = fc.oneof(
  fc.constant(LOGIN),
  fc.tuple(counted(byte, 255), counted(byte, 255)).map(([user, password]) => [1, ...user, ...password]),
);
const name = fc.oneof(
  fc.domain().map((text) => [...encoder.encode(text)]),
  fc.array(byte, { maxLength: 255 }),
)
  .map((bytes) => [3, Math.min(bytes.length, 255), ...bytes.slice(0, 255)]);
const address = fc.oneof(
  name,
  fc.array(byte, { minLength: 4, maxLength: 4 }).map((bytes) => [1, ...bytes]),
  fc.array(byte, { minLength: 16, maxLength: 16 }).map((bytes) => [4, ...bytes]),
  byte.map((type) => [type]),
);
const command = fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: byte });
const request = fc.tuple(command, address, byte, byte).map((
  [what, where, high, low],
) => [5, what, 0, ...where, high, low]);
const rest = fc.array(byte, { maxLength: 30 });
const conversation = fc.oneof(
  fc.tuple(greeting, request, rest).map((parts) => parts.flat()),
  fc.tuple(greeting, login, request, rest).map((parts) => parts.flat()),
  fc.tuple(fc.constant([5, 1, 2, ...LOGIN]), request, rest).map((parts) => parts.flat()),
  fc.tuple(fc.constant([5, 1, 0]), request, rest).map((parts) => parts.flat()),
  fc.array(byte, { maxLength: 60 }).map((bytes) => [5, ...bytes]),
);

interface Result {
  /** Bytes sent to the client. */
  sent: number[];
  /** Its last step; undefined while it expects more bytes. */
  last: Socks5Step | undefined;
  /** Bytes for the target. */
  rest: number[];
  /** Bytes read before the end. */
  taken: number;
}

function run(handshake: Socks5Handshake, parts: number[][]): Result {
  const result: Result = { sent: [], last: undefined, rest: [], taken: 0 };
  for (const part of parts) {
    if (result.last !== undefined) {
      assert.deepEqual(handshake.push(Uint8Array.from(part)), [], "nothing follows the end");
      result.rest.push(...part);
      continue;
    }
    result.taken += part.length;
    for (const step of handshake.push(Uint8Array.from(part))) {
      assert.equal(result.last, undefined, "nothing follows the end");
      if (step.kind !== "answer") result.last = step;
      if (step.kind === "connect") result.rest.push(...step.rest);
      if (step.kind === "answer" || step.kind === "refuse") result.sent.push(...step.bytes);
    }
  }
  return result;
}

function assertRight({ sent, last }: Result, guarded: boolean): void {
  if (sent.length > 0) assert.equal(sent[0], 5);
  const method = sent[1];
  if (method !== undefined) assert.ok([guarded ? 2 : 0, 0xff].includes(method));
  if (last?.kind === "connect") {
    assert.deepEqual(sent, guarded ? [5, 2, 1, 0] : [5, 0]);
    const { host, port } = last.target;
    assert.ok(port >= 1 && port <= 65_535);
    assert.match(host, /^(?:[A-Za-z0-9._-]{1,254}|[0-9A-Fa-f:.]+)$/);
  }
  if (last?.kind !== "refuse") return;
  assert.match(last.reason, /^[\x20-\x7e]+$/, "a reason quotes nothing");
  const bytes = [...last.bytes];
  if (bytes.length === 2) {
    assert.ok(bytes[0] === 5 && bytes[1] === 0xff || guarded && bytes[0] === 1 && bytes[1] !== 0);
  } else {
    assert.equal(bytes.length, 10);
    assert.ok([1, 7, 8].includes(bytes[1]!), `reply ${bytes[1]}`);
  }
}

for (const guarded of [false, true]) {
  const make = () => new Socks5Handshake(guarded ? authorize : undefined);
  Deno.test(`SOCKS5 handshake ${guarded ? "with" : "without"} a password accepts any bytes in any pieces`, () => {
    let connected = 0;
    fc.assert(
      fc.property(conversation, fc.array(fc.nat(300), { maxLength: 20 }), (bytes, cuts) => {
        const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const parts = edges.slice(1).map((end, i) => bytes.slice(edges[i], end));
        const cut = run(make(), parts);
        assertRight(cut, guarded);
        assert.ok(
          cut.last !== undefined || bytes.length <= MAX_LENGTH,
          "an unfinished handshake is short",
        );
        const { sent, last, rest } = run(make(), [bytes]);
        const without = (step: Socks5Step | undefined) => step?.kind === "connect" ? step.target : step;
        assert.deepEqual([cut.sent, without(cut.last)], [sent, without(last)]);
        if (last?.kind === "connect") assert.deepEqual(cut.rest, rest);
        if (last?.kind === "connect") connected++;
      }),
      { numRuns: RUNS },
    );
    assert.ok(connected > RUNS / 50, `only ${connected} reached a target`);
  });
}

Deno.test("SOCKS5 handshake ends within its maximum length, so that memory is bounded", () => {
  fc.assert(
    fc.property(
      fc.array(byte, { minLength: MAX_LENGTH, maxLength: MAX_LENGTH }),
      fc.boolean(),
      (noise, guarded) => {
        const handshake = new Socks5Handshake(guarded ? authorize : undefined);
        const { last } = run(handshake, [[5], ...noise.map((each) => [each])]);
        assert.notEqual(last, undefined);
      },
    ),
    { numRuns: 300 },
  );
});
