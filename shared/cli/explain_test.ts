import assert from "node:assert/strict";
import { SallyportError } from "../errors.ts";
import { complaint, explain } from "./explain.ts";

Deno.test("explain gives the message of an error of ours and nothing beneath it", () => {
  const error = new SallyportError("bad_request", "Cannot do it: current value is 1", {
    cause: new Error("inner"),
  });
  assert.equal(explain(error), "Cannot do it: current value is 1");
});

Deno.test("explain follows the causes of other errors", () => {
  const error = new Error("outer", { cause: new TypeError("middle", { cause: new Error("inner") }) });
  assert.equal(explain(error), "outer: middle: inner");
  assert.equal(explain(new Error("outer: inner", { cause: new Error("inner") })), "outer: inner");
  assert.equal(explain(new TypeError("")), "TypeError");
});

Deno.test("explain takes whatever was thrown", () => {
  assert.equal(explain("text"), "text");
  assert.equal(explain(undefined), "undefined");
  const circle = new Error("round");
  circle.cause = circle;
  assert.equal(explain(circle), "round");
});

Deno.test("complaint shows what could steer a terminal or hide as its code point", () => {
  const error = new SallyportError("bad_request", "Cannot use CN=\u001b]0;owned\u0007\u009b31m\u202e\nnext");
  const shown = "prog: Cannot use CN=\\u{1b}]0;owned\\u{7}\\u{9b}31m\\u{202e}\n";
  assert.deepEqual(complaint("prog", error), [shown, "prog: next\n"]);
});
