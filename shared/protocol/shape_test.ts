import assert from "node:assert/strict";
import { SallyportError } from "../errors.ts";
import { flag, headerList, integer, object, optional, type Shape, text } from "./shape.ts";

function assertRefused(shape: Shape<unknown>, value: unknown, message: string): void {
  assert.throws(() => shape(value, "m.x"), (error: unknown) => {
    assert.ok(error instanceof SallyportError, String(error));
    assert.equal(error.code, "protocol_violation");
    assert.equal(error.message, `Cannot read m.x: ${message}`);
    return true;
  });
}

Deno.test("integer accepts whole numbers of its range only", () => {
  const shape = integer(1, 9);
  assert.equal(shape(1, "m.x"), 1);
  assert.equal(shape(9, "m.x"), 9);
  assertRefused(shape, 0, "0 is not in 1..9");
  assertRefused(shape, 10, "10 is not in 1..9");
  for (const value of [1.5, NaN, Infinity, 2 ** 53]) {
    assertRefused(shape, value, "expected a whole number, got a number");
  }
  assertRefused(shape, "5", "expected a whole number, got a string");
  assertRefused(shape, null, "expected a whole number, got null");
  assertRefused(shape, [], "expected a whole number, got an array");
});

Deno.test("integer accepts up to the largest safe integer by default", () => {
  assert.equal(integer(0)(Number.MAX_SAFE_INTEGER, "m.x"), Number.MAX_SAFE_INTEGER);
});

Deno.test("text accepts strings up to its length only", () => {
  const shape = text(3);
  assert.equal(shape("", "m.x"), "");
  assert.equal(shape("abc", "m.x"), "abc");
  assertRefused(shape, "abcd", "length 4 is not in 0..3");
  assertRefused(shape, 5, "expected a string, got a number");
});

Deno.test("text may have a minimum length", () => {
  assert.equal(text(3, 1)("a", "m.x"), "a");
  assertRefused(text(3, 1), "", "length 0 is not in 1..3");
});

Deno.test("flag accepts a boolean only", () => {
  assert.deepEqual([flag(true, "m.x"), flag(false, "m.x")], [true, false]);
  assertRefused(flag, "yes", "expected a boolean, got a string");
  assertRefused(flag, 1, "expected a boolean, got a number");
  assertRefused(flag, null, "expected a boolean, got null");
});

Deno.test("headerList keeps order, case and repeats (SPEC 2.6)", () => {
  const list = ["Set-Cookie", "a", "set-cookie", "b", "X", "\u0080\t \u00ff", "Y", ""];
  assert.deepEqual(headerList(list, "m.x"), list);
  assert.deepEqual(headerList([], "m.x"), []);
});

Deno.test("headerList refuses an odd length and anything but strings (SPEC 2.6)", () => {
  assertRefused(headerList, ["a"], "expected an array of even length, got an array");
  assertRefused(headerList, { length: 0 }, "expected an array of even length, got a object");
  assertRefused(headerList, ["a", 1], "expected an array of strings, got a number");
  assertRefused(headerList, ["a", null], "expected an array of strings, got null");
});

Deno.test("headerList accepts tokens as names and bytes without control characters as values (SPEC 2.6)", () => {
  const refused = (list: string[], where: string, form: string) => {
    const message = `Cannot read m.x[${where}]: expected ${form}`;
    assert.throws(() => headerList(list, "m.x"), { code: "protocol_violation", message });
  };
  for (
    const name of ["", "X Y", "X:", "X\r\nY", "X\0", "X\t", "(X)", "X\u00e9", "X\u2028", '"X"', "X/Y", "X\n"]
  ) {
    refused(["A", "b", name, "c"], "2", "a token");
  }
  for (
    const value of [
      "\r\nX: y",
      "a\rb",
      "a\nb",
      "a\0b",
      "\x01",
      "\x0b",
      "\x1b[31m",
      "\x7f",
      "\u0100",
      "\u2028",
      "a\n",
    ]
  ) {
    refused(["A", value], "1", "bytes without control characters");
  }
});

Deno.test("optional accepts a missing value, but not null", () => {
  const shape = optional(text(3));
  assert.equal(shape(undefined, "m.x"), undefined);
  assert.equal(shape("a", "m.x"), "a");
  assertRefused(shape, null, "expected a string, got null");
});

Deno.test("object names the invalid member", () => {
  const shape = object({ a: object({ b: integer(0) }) });
  assert.throws(() => shape({ a: { b: "1" } }, "m"), {
    message: /^Cannot read m\.a\.b: expected a whole number/,
  });
  assert.throws(() => shape({ a: 1 }, "m"), { message: "Cannot read m.a: expected an object, got a number" });
  assert.throws(() => shape({}, "m"), { message: /^Cannot read m\.a: expected an object/ });
  assert.throws(() => shape([], "m"), { message: "Cannot read m: expected an object, got an array" });
  assert.throws(() => shape(null, "m"), { message: "Cannot read m: expected an object, got null" });
});

Deno.test("object returns a new object with only the named members (SPEC 2.3)", () => {
  const shape = object({ a: optional(integer(0)), b: optional(text(9)) });
  const given = JSON.parse('{"a":1,"c":2,"__proto__":{"b":"inherited"}}');
  const result = shape(given, "m");
  assert.notEqual(result, given);
  assert.deepEqual(Object.keys(result), ["a"]);
  assert.equal(result.b, undefined);
  assert.equal(Object.getPrototypeOf(result), Object.prototype);
});

Deno.test("object does not read members of a prototype", () => {
  const shape = object({ constructor: optional(text(9)), toString: optional(text(9)) });
  assert.deepEqual(Object.keys(shape({}, "m")), []);
});
