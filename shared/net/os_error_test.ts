import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { type ErrorCode, SallyportError } from "../errors.ts";
import {
  fromOsError,
  isConnectionRefused,
  isConnectionReset,
  isOutOfDescriptors,
  isUnusableAddress,
  listenProblemOf,
} from "./os_error.ts";

function withNumber(code: string, message = "system says so"): Error {
  return Object.assign(new Error(message), { code });
}

const CASES: [string, ErrorCode, string][] = [
  ["ECONNREFUSED", "target_refused", "the connection was refused"],
  ["ECONNRESET", "target_reset", "the connection was reset by the peer"],
  ["EPIPE", "target_reset", "the peer closed the connection"],
  ["EHOSTUNREACH", "target_unreachable", "the host is unreachable"],
  ["ENETUNREACH", "target_unreachable", "no route to the network"],
  ["ETIMEDOUT", "target_timeout", "no answer in time"],
  ["ENOTFOUND", "dns_error", "the name does not resolve"],
  ["EAI_AGAIN", "dns_timeout", "the name server did not answer"],
  ["EMFILE", "limit_reached", "the program has too many files and connections open"],
  ["EADDRINUSE", "internal", "the port is in use by another program"],
  ["EACCES", "internal", "permission denied"],
];

for (const [number, code, words] of CASES) {
  Deno.test(`fromOsError translates ${number}`, () => {
    const cause = withNumber(number);
    const error = fromOsError(cause, "reach x:1");
    assert.equal(error.code, code);
    assert.equal(error.message, `Cannot reach x:1: ${words}`);
    assert.equal(error.cause, cause);
  });
}

Deno.test("fromOsError translates Deno's error classes, which may have no code", () => {
  const codeOf = (error: Error) => fromOsError(error, "do it").code;
  assert.equal(codeOf(new Deno.errors.ConnectionRefused("x")), "target_refused");
  assert.equal(codeOf(new Deno.errors.ConnectionReset("x")), "target_reset");
  assert.equal(codeOf(new Deno.errors.TimedOut("x")), "target_timeout");
  assert.equal(codeOf(new Deno.errors.NetworkUnreachable("x")), "target_unreachable");
  const denied = fromOsError(new Deno.errors.NotCapable("x"), "read a.key");
  assert.equal(denied.message, "Cannot read a.key: the program was started without the permission for it");
});

Deno.test("fromOsError takes the error of the first address when several failed", () => {
  const several = new AggregateError([withNumber("EHOSTUNREACH"), withNumber("ECONNREFUSED")], "");
  assert.equal(fromOsError(several, "do it").code, "target_unreachable");
});

Deno.test("fromOsError keeps the message of an unknown error, without its full stop", () => {
  const error = fromOsError(withNumber("EWEIRD", "Something else."), "do it");
  assert.equal(error.code, "internal");
  assert.equal(error.message, "Cannot do it: Something else");
  assert.equal(fromOsError("text", "do it").message, "Cannot do it: text");
  assert.equal(fromOsError(undefined, "do it").message, "Cannot do it: undefined");
});

Deno.test("fromOsError leaves a SallyportError as it is", () => {
  const error = new SallyportError("target_denied", "Cannot reach x: denied");
  assert.equal(fromOsError(error, "do it"), error);
});

Deno.test("os_error sorts errors by what a caller does about them", () => {
  const kinds: [(error: unknown) => unknown, string[]][] = [
    [isConnectionReset, ["ECONNRESET", "EPIPE"]],
    [isConnectionRefused, ["ECONNREFUSED"]],
    [isOutOfDescriptors, ["EMFILE", "ENFILE"]],
    [isUnusableAddress, ["EADDRNOTAVAIL", "EACCES", "EPERM", "EINVAL"]],
    [listenProblemOf, ["EADDRINUSE", "EADDRNOTAVAIL", "EACCES", "EPERM", "ENOTFOUND"]],
  ];
  const all = [...new Set(kinds.flatMap(([, numbers]) => numbers)), "EWEIRD"];
  for (const [isOfKind, numbers] of kinds) {
    const found = all.filter((number) => isOfKind(withNumber(number)));
    assert.deepEqual(found.sort(), numbers.sort(), isOfKind.name);
    for (const other of [undefined, null, "EPIPE", new Error("EPIPE")]) assert(!isOfKind(other));
  }
});

Deno.test("fromOsError translates what sockets and files really throw", async () => {
  const server = createServer();
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await listening;
  const { port } = server.address() as { port: number };
  const taken = await new Promise((resolve) => createServer().on("error", resolve).listen(port, "127.0.0.1"));
  assert.equal(
    fromOsError(taken, `listen on 127.0.0.1:${port}`).message,
    `Cannot listen on 127.0.0.1:${port}: the port is in use by another program`,
  );
  assert.match(
    fromOsError(thrownBy(() => Deno.listen({ hostname: "127.0.0.1", port })), "listen").message,
    /in use by another program$/,
  );
  await new Promise((resolve) => server.close(resolve));
  const refused = await new Promise((resolve) => connect({ host: "127.0.0.1", port }).on("error", resolve));
  assert.equal(fromOsError(refused, "connect").code, "target_refused");
  const absent = thrownBy(() => Deno.readTextFileSync("/no/such/file"));
  assert.equal(fromOsError(absent, "read it").message, "Cannot read it: no such file or directory");
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  assert.fail("nothing was thrown");
}
