import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { basicCredentials, createAuthorize } from "./proxy_auth.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
const read = (...values: string[]) => {
  const found = basicCredentials(values.flatMap((value) => ["Proxy-AUTHORIZATION", value]));
  return found && [Buffer.from(found.user).toString(), Buffer.from(found.password).toString()];
};

Deno.test("createAuthorize takes the right user name and password only", () => {
  const authorize = createAuthorize({ user: "älice", password: "pässword:1" });
  const given = (user: string, password: string) =>
    authorize({ user: bytes(user), password: bytes(password) });
  assert.equal(given("älice", "pässword:1"), true);
  for (
    const [user, password] of [
      ["älice", "pässword:"],
      ["älice", "pässword:12"],
      ["älice", ""],
      ["", "pässword:1"],
      ["", ""],
      ["alice", "pässword:1"],
      ["ÄLICE", "pässword:1"],
      ["älice:pässword", "1"],
    ] as const
  ) {
    assert.equal(given(user, password), false, `${user} ${password}`);
  }
});

Deno.test("basicCredentials reads user name and password as RFC 7617 has them", () => {
  assert.deepEqual(read(basic("alice:secret")), ["alice", "secret"]);
  assert.deepEqual(read(basic("alice:a:b ü").replace("Basic", "bAsIc")), ["alice", "a:b ü"]);
  assert.deepEqual(read(basic(":")), ["", ""]);
});

Deno.test("basicCredentials reads nothing else", () => {
  const right = basic("alice:secret");
  const bad = [
    ...["", "Basic", "Basic ", "Basic !", `Bearer ${right.slice(6)}`, `${right}, ${right}`, `${right} x`],
    ...[
      `Basic${right.slice(6)}`,
      right.replace(" ", "\t"),
      basic("alice"),
      `Basic ${right}`,
      "Basic YWxp=Y2U6",
    ],
  ];
  for (const value of bad) assert.equal(read(value), undefined, value);
  assert.equal(read(), undefined);
  assert.equal(read(right, right), undefined, "two of them");
});
