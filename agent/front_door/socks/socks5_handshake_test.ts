import assert from "node:assert/strict";
import fc from "fast-check";
import { Socks5Handshake, socks5Reply, type Socks5Step } from "./socks5_handshake.ts";

const GREETING = [5, 1, 0];
const text = (value: string) => [...new TextEncoder().encode(value)];

/** Runs a handshake over bytes split at `cuts`; bytes after the request count as its rest. */
function run(bytes: number[], cuts: number[] = []): unknown[] {
  const handshake = new Socks5Handshake();
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const steps: unknown[] = [];
  let rest: number[] | undefined;
  for (let i = 0; i + 1 < edges.length; i++) {
    const part = bytes.slice(edges[i], edges[i + 1]);
    if (rest !== undefined) rest.push(...part);
    for (const step of handshake.push(Uint8Array.from(part))) {
      steps.push(plain(step));
      if (step.kind === "connect") rest = [...step.rest];
    }
  }
  return rest === undefined ? steps : [...steps, rest];
}

function plain(step: Socks5Step): unknown {
  if (step.kind === "connect") return { kind: step.kind, target: step.target };
  return "bytes" in step ? { ...step, bytes: [...step.bytes] } : step;
}

const answer = { kind: "answer", bytes: [5, 0] };

Deno.test("Socks5Handshake reads a name, IPv4 and IPv6", () => {
  const name = [5, 1, 0, 3, 6, ...text("a.test"), 1, 187];
  const ipv4 = [5, 1, 0, 1, 192, 0, 2, 1, 0, 80];
  const ipv6 = [5, 1, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
  const target = (host: string, port: number) => [answer, { kind: "connect", target: { host, port } }, []];
  assert.deepEqual(run([...GREETING, ...name]), target("a.test", 443));
  assert.deepEqual(run([...GREETING, ...ipv4]), target("192.0.2.1", 80));
  assert.deepEqual(run([...GREETING, ...ipv6]), target("2001:db8:0:0:0:0:0:1", 65_535));
});

Deno.test("Socks5Handshake accepts an address written as a name", () => {
  assert.deepEqual(run([...GREETING, 5, 1, 0, 3, 3, ...text("::1"), 0, 80])[1], {
    kind: "connect",
    target: { host: "::1", port: 80 },
  });
});

Deno.test("Socks5Handshake gives the same result however the bytes are split", () => {
  const bytes = [5, 2, 2, 0, 5, 1, 0, 3, 6, ...text("a.test"), 0, 80, ...text("early data")];
  const whole = run(bytes);
  assert.deepEqual(whole.at(-1), text("early data"));
  fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 40 }), (cuts) => {
    assert.deepEqual(run(bytes, cuts), whole);
  }));
  assert.deepEqual(run(bytes, bytes.map((_, i) => i)), whole);
});

Deno.test("Socks5Handshake never throws, whatever the bytes are", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 30 }), (parts) => {
    const handshake = new Socks5Handshake();
    const steps = [...handshake.push(Uint8Array.of(5)), ...parts.flatMap((part) => handshake.push(part))];
    assert.ok(steps.length <= 2);
  }));
});

Deno.test("Socks5Handshake refuses unsupported requests with the matching reply", () => {
  const refuse = (request: number[]) => {
    const step = run([...GREETING, ...request])[1] as Socks5Step;
    return step.kind === "refuse" ? step.bytes[1] : step.kind;
  };
  assert.equal(refuse([5, 2, 0, 1, 1, 2, 3, 4, 0, 80]), 0x07, "BIND");
  assert.equal(refuse([5, 3, 0, 3, 1, 97, 0, 80]), 0x07, "UDP ASSOCIATE");
  assert.equal(refuse([5, 9, 0, 1, 1, 2, 3, 4, 0, 80]), 0x07, "unknown command");
  assert.equal(refuse([5, 1, 0, 2]), 0x08, "unknown address type");
  assert.equal(refuse([5, 1, 0, 1, 1, 2, 3, 4, 0, 0]), 0x01, "port 0");
  assert.equal(refuse([5, 1, 0, 3, 0, 0, 80]), 0x01, "empty name");
  assert.equal(refuse([5, 1, 0, 3, 3, 97, 0, 98, 0, 80]), 0x01, "NUL in name");
  assert.equal(refuse([4, 1, 0, 1]), 0x01, "wrong version");
});

Deno.test("Socks5Handshake refuses a client without a supported method", () => {
  const reason = "the client requires an authentication method";
  assert.deepEqual(run([5, 1, 2]), [{ kind: "refuse", bytes: [5, 0xff], reason }]);
  assert.deepEqual(run([5, 0]), [{ kind: "refuse", bytes: [5, 0xff], reason }]);
});

Deno.test("socks5Reply has no bound address", () => {
  assert.deepEqual([...socks5Reply(0x05)], [5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
});
