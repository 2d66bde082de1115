import assert from "node:assert/strict";
import { dialPort, duration, type Field, host, integer, list, listenPort, logLevel, pem } from "./fields.ts";

function accepts<T>(field: Field<T>, written: unknown, value: T): void {
  assert.deepEqual(field.schema.parse(written), value);
}

function refuses(field: Field<unknown>, ...written: unknown[]): void {
  for (const value of written) {
    assert.equal(field.schema.safeParse(value).success, false, `accepted: ${JSON.stringify(value)}`);
  }
}

Deno.test("integer accepts whole numbers within its limits", () => {
  const field = integer(5, 1, 10);
  for (const value of [1, 5, 10]) accepts(field, value, value);
  refuses(field, 0, 11, 1.5, "5", true, null, NaN);
  assert.equal(field.fromText("7"), 7);
  for (const text of ["", "7x", "0x7", "7.0", "1e1"]) refuses(field, field.fromText(text));
});

Deno.test("only ports to listen on may be 0", () => {
  accepts(listenPort(80), 0, 0);
  refuses(dialPort(80), 0);
  for (const field of [listenPort(80), dialPort(80)]) {
    accepts(field, 65_535, 65_535);
    refuses(field, 65_536, -1, "80");
  }
});

Deno.test("host accepts only an address or a name", () => {
  const field = host("here");
  for (const text of ["127.0.0.1", "::1", "2001:db8::8", "a.example", "sallyport-server", "a.example."]) {
    accepts(field, text, text);
  }
  refuses(
    field,
    "",
    " a",
    "a b",
    "a:80",
    "127.0.0.1:80",
    "[::1]",
    "http://a",
    "-a",
    "a..b",
    "x".repeat(64),
    1,
  );
  accepts(host(""), "", "");
});

Deno.test("duration is in milliseconds", () => {
  const field = duration("1s");
  for (
    const [text, ms] of [["0s", 0], ["500ms", 500], ["60s", 60_000], ["15m", 900_000], [
      "2h",
      7_200_000,
    ]] as const
  ) {
    accepts(field, text, ms);
  }
  refuses(field, "", "60", "60 s", "-1s", "1.5s", "1d", "1S", 60, null);
  assert.equal(field.schema.parse(0), 0);
  assert.equal(field.schema.parse("0"), 0);
  refuses(duration("1s", 1), "0s");
  refuses(duration("1s", 1), 0);
  refuses(duration("1s", 0, 60_000), "61s");
  accepts(field, "2147483647ms", 2_147_483_647);
  refuses(field, "2147483648ms", "597h");
});

Deno.test("list reads its entries from a comma-separated text", () => {
  const field = list("words", (word) => word !== "bad");
  assert.deepEqual(field.fromText(" a,b , c"), ["a", "b", "c"]);
  assert.deepEqual(field.fromText(""), []);
  accepts(field, ["a", "b"], ["a", "b"]);
  refuses(field, "a", ["a", "bad"], [""], ["a b"], [1], [null], field.fromText("a,,b"));
});

Deno.test("logLevel knows its levels", () => {
  accepts(logLevel("info"), "debug", "debug");
  refuses(logLevel("info"), "INFO", "verbose", "", 1);
});

Deno.test("pem is a path in the file and never text", () => {
  const field = pem("a.pem", "A_PEM");
  accepts(field, "b.pem", { file: "b.pem" });
  refuses(field, "", "-----BEGIN CERTIFICATE-----", "a\nb", 1);
  assert.deepEqual(field.resolve?.({ file: "b.pem" }, "/etc"), { file: "/etc/b.pem" });
  assert.equal(field.content?.read("a.pem"), undefined);
});
