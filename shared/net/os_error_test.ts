import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { type ErrorCode, SallyportError } from "../errors.ts";
import { fromOsError } from "./os_error.ts";

function withNumber(code: string, message = "system says so"): Error {
  return Object.assign(new Error(message), { code });
}

const CASES: [string, ErrorCode, string][] = [
  ["ECONNREFUSED", "target_refused", "the connection was refused"],
  ["ECONNRESET", "target_reset", "the connection was reset by the other side"],
  ["EPIPE", "target_reset", "the other side has closed the connection"],
  ["EHOSTUNREACH", "target_unreachable", "the host cannot be reached"],
  ["ENETUNREACH", "target_unreachable", "there is no route to the network"],
  ["ETIMEDOUT", "target_timeout", "no answer came in time"],
  ["ENOTFOUND", "dns_error", "the name does not resolve"],
  ["EAI_AGAIN", "dns_timeout", "the name server did not answer"],
  ["EMFILE", "limit_reached", "the program has too many files and connections open"],
  ["EADDRINUSE", "internal", "the port is taken by another program"],
  ["EACCES", "internal", "permission was denied"],
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

Deno.test("fromOsError translates Deno's classes, which may have no number", () => {
  const codeOf = (error: Error) => fromOsError(error, "do it").code;
  assert.equal(codeOf(new Deno.errors.ConnectionRefused("x")), "target_refused");
  assert.equal(codeOf(new Deno.errors.ConnectionReset("x")), "target_reset");
  assert.equal(codeOf(new Deno.errors.TimedOut("x")), "target_timeout");
  assert.equal(codeOf(new Deno.errors.NetworkUnreachable("x")), "target_unreachable");
  const denied = fromOsError(new Deno.errors.NotCapable("x"), "read a.key");
  assert.equal(denied.message, "Cannot read a.key: the program was started without the permission for it");
});

Deno.test("fromOsError takes the first of several addresses that failed", () => {
  const several = new AggregateError([withNumber("EHOSTUNREACH"), withNumber("ECONNREFUSED")], "");
  assert.equal(fromOsError(several, "do it").code, "target_unreachable");
});

Deno.test("fromOsError keeps the words of what it does not know, and no full stop", () => {
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

Deno.test("fromOsError knows what sockets and files really throw", async () => {
  const server = createServer();
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await listening;
  const { port } = server.address() as { port: number };
  const taken = await new Promise((resolve) => createServer().on("error", resolve).listen(port, "127.0.0.1"));
  assert.equal(
    fromOsError(taken, `listen on 127.0.0.1:${port}`).message,
    `Cannot listen on 127.0.0.1:${port}: the port is taken by another program`,
  );
  assert.match(
    fromOsError(thrownBy(() => Deno.listen({ hostname: "127.0.0.1", port })), "listen").message,
    /taken by another program$/,
  );
  await new Promise((resolve) => server.close(resolve));
  const refused = await new Promise((resolve) => connect({ host: "127.0.0.1", port }).on("error", resolve));
  assert.equal(fromOsError(refused, "connect").code, "target_refused");
  const absent = thrownBy(() => Deno.readTextFileSync("/no/such/file"));
  assert.equal(fromOsError(absent, "read it").message, "Cannot read it: there is no such file or directory");
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  assert.fail("nothing was thrown");
}
