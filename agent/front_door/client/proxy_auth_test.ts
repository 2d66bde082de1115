import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { basicCredentials, createAuthorize } from "./proxy_auth.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
const read = (...values: string[]) => {
  const found = basicCredentials(values.flatMap((value) => ["Proxy-AUTHORIZATION", value]));
  return found && [Buffer.from(found.user).toString(), Buffer.from(found.password).toString()];
};

Deno.test("createAuthorize accepts only the correct user name and password", () => {
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

Deno.test("basicCredentials reads user name and password (RFC 7617)", () => {
  assert.deepEqual(read(basic("alice:secret")), ["alice", "secret"]);
  assert.deepEqual(read(basic("alice:a:b ü").replace("Basic", "bAsIc")), ["alice", "a:b ü"]);
  assert.deepEqual(read(basic(":")), ["", ""]);
});

Deno.test("basicCredentials rejects everything else", () => {
  const correct = basic("alice:secret");
  const bad = [
    ...[
      "",
      "Basic",
      "Basic ",
      "Basic !",
      `Bearer ${correct.slice(6)}`,
      `${correct}, ${correct}`,
      `${correct} x`,
    ],
    ...[
      `Basic${correct.slice(6)}`,
      correct.replace(" ", "\t"),
      basic("alice"),
      `Basic ${correct}`,
      "Basic YWxp=Y2U6",
    ],
  ];
  for (const value of bad) assert.equal(read(value), undefined, value);
  assert.equal(read(), undefined);
  assert.equal(read(correct, correct), undefined, "two fields");
});
