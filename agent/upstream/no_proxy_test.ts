import assert from "node:assert/strict";
import { isExempt } from "./no_proxy.ts";

const NAMED: readonly [list: string, host: string, port: number][] = [
  ["*", "anything.example", 1],
  ["corp.example", "corp.example", 443],
  ["corp.example", "a.b.corp.example", 443],
  [".corp.example", "a.corp.example", 443],
  ["*.corp.example", "a.corp.example", 443],
  ["CORP.example", "Corp.Example.", 443],
  ["other.example, corp.example", "corp.example", 443],
  ["other.example corp.example", "corp.example", 443],
  ["corp.example:8443", "corp.example", 8443],
  ["192.0.2.7", "192.0.2.7", 1],
  ["192.0.2.7:443", "192.0.2.7", 443],
  ["192.0.2.0/24", "192.0.2.7", 1],
  ["2001:db8::1", "2001:db8:0::1", 1],
  ["[2001:db8::1]:443", "2001:db8::1", 443],
  ["2001:db8::/32", "2001:db8::1", 1],
  ["192.0.2.7", "::ffff:192.0.2.7", 1],
];
for (const [list, host, port] of NAMED) {
  Deno.test(`"${list}" exempts ${host} port ${port}`, () => assert.equal(isExempt(list, host, port), true));
}

const NOT_NAMED: readonly [list: string, host: string, port: number][] = [
  ["", "corp.example", 443],
  [" , ", "corp.example", 443],
  ["corp.example", "badcorp.example", 443],
  ["a.corp.example", "corp.example", 443],
  ["corp.example:8443", "corp.example", 443],
  ["192.0.2.0/24", "192.0.3.7", 1],
  ["192.0.2.0/24", "2001:db8::1", 1],
  ["192.0.2.7:80", "192.0.2.7", 443],
  [".", "corp.example", 443],
  ["10.0.0.0/99", "10.0.0.1", 443],
];
for (const [list, host, port] of NOT_NAMED) {
  Deno.test(`"${list}" does not exempt ${host} port ${port}`, () =>
    assert.equal(isExempt(list, host, port), false));
}
