import assert from "node:assert/strict";
import { readHost } from "./host.ts";
import { parseRule } from "./rule.ts";

Deno.test("parseRule refuses what only inet_aton reads as an address: as a name it would never match", () => {
  for (
    const host of [
      ...[
        "0x7f000001",
        "0xa9fea9fe",
        "0X7F.1",
        "127.0.0.0x1",
        "0x",
        "a.0x",
        "2130706433",
        "127.1",
        "a.example.1",
      ],
      "127.0.0.0x1.",
    ]
  ) {
    assert.notEqual(readHost(host)?.kind, "name", host);
    for (const entry of [host, `${host}:80`, `*.${host}`]) {
      assert.throws(() => parseRule(entry, "targets.deny[3]"), {
        code: "bad_request",
        message:
          `Cannot read targets.deny[3]: current value is ${JSON.stringify(entry)}, expected an address ` +
          "(IPv4 as four decimal numbers), a range or a name, with or without a port",
      });
    }
  }
});

Deno.test("parseRule reads names that look like numbers", () => {
  for (const host of ["0x7g", "0x7f.example", "1.example", "x0x7f", "7f", "a-1", "1e3"]) {
    assert.deepEqual(readHost(host), { kind: "name", text: host });
    assert.deepEqual(parseRule(host, "block[0]").covers, { kind: "name", name: host });
  }
});
