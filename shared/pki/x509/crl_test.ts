import assert from "node:assert/strict";
import "reflect-metadata"; // @peculiar/x509 needs it first
import * as x509 from "@peculiar/x509";
import fc from "fast-check";
import { TestPki } from "../../../tests/support/pki/pki.ts";
import { testCrl, type TestCrlOptions } from "../../../tests/support/pki/test_crl.ts";
import { withReason } from "../../../tests/support/with_reason.ts";
import { parseCrl } from "./crl.ts";

async function listOf(options: TestCrlOptions = {}): Promise<Uint8Array> {
  return await testCrl((await TestPki.create()).authority.files, options);
}

const unreadable = (why: RegExp) => withReason("bad_request", why);

Deno.test("parseCrl reads the same as another library", async () => {
  const pki = await TestPki.create();
  const revoked = await Promise.all([1, 2, 3].map(async () => (await pki.clientKey()).cert));
  // From the year 2050 on, dates have another type.
  for (const nextUpdate of [new Date("2049-12-31T23:59:59Z"), new Date("2050-01-01T00:00:00Z")]) {
    const der = await testCrl(pki.authority.files, { revoked, nextUpdate });
    const [read, other] = [parseCrl(der), new x509.X509Crl(der.slice().buffer)];
    assert.deepEqual([...read.serials], other.entries.map(({ serialNumber }) => serialNumber));
    assert.equal(read.thisUpdate.getTime(), other.thisUpdate.getTime());
    assert.equal(read.nextUpdate.getTime(), nextUpdate.getTime());
  }
});

Deno.test("parseCrl reads an empty list", async () => {
  assert.equal(parseCrl(await listOf()).serials.size, 0);
});

Deno.test("parseCrl refuses a list that is cut off or has trailing bytes", async () => {
  const der = await listOf({ revoked: [(await (await TestPki.create()).clientKey()).cert] });
  for (let length = 0; length < der.length; length++) {
    assert.throws(() => parseCrl(der.subarray(0, length)), unreadable(/^Cannot read /));
  }
  assert.throws(() => parseCrl(new Uint8Array([...der, 0x05, 0x00])), unreadable(/it is not one DER value$/));
});

Deno.test("parseCrl refuses critical extensions, and ignores others (RFC 5280 section 5.2)", async () => {
  const number = (critical: boolean) =>
    new x509.Extension("2.5.29.20", critical, new Uint8Array([2, 1, 1]).buffer);
  assert.equal(parseCrl(await listOf({ extensions: [number(false)] })).serials.size, 0);
  const list = await listOf({ extensions: [number(true)] });
  assert.throws(
    () => parseCrl(list),
    unreadable(/it has the critical extension 551d14, which is not supported$/),
  );
});

/** Extensions of lists that are not full lists of one authority, in DER, and what the error says. */
const PARTIAL: [string, string, number[], RegExp][] = [
  [
    "delta",
    "2.5.29.27",
    [2, 1, 1],
    /: it is a delta CRL, which is not supported; use a full list signed by the CA itself$/,
  ],
  [
    "indirect",
    "2.5.29.28",
    [0x30, 3, 0x84, 1, 0xff],
    /: it is an indirect CRL, which is not supported; use a full/,
  ],
  [
    "partitioned",
    "2.5.29.28",
    [0x30, 3, 0x81, 1, 0xff],
    /: it covers only some certificates .*; use a full list/,
  ],
];

for (const [kind, id, value, reason] of PARTIAL) {
  for (const critical of [true, false]) {
    const how = critical ? "critical" : "not critical";
    Deno.test(`parseCrl refuses a ${kind} CRL whose extension is ${how} (RFC 5280 section 5.2)`, async () => {
      const extension = new x509.Extension(id, critical, new Uint8Array(value).buffer);
      const list = await listOf({ extensions: [extension] });
      assert.throws(() => parseCrl(list), unreadable(reason));
    });
  }
}

Deno.test("parseCrl throws its own error for any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assert.throws(() => parseCrl(bytes), unreadable(/^Cannot read /));
  }));
});

Deno.test("parseCrl throws its own error for any change of a valid list", async () => {
  const der = await listOf({ revoked: [(await (await TestPki.create()).clientKey()).cert] });
  fc.assert(fc.property(fc.nat(der.length - 1), fc.nat(255), (at, byte) => {
    const changed = der.slice();
    changed[at] = byte;
    try {
      parseCrl(changed);
    } catch (error) {
      unreadable(/^Cannot read /)(error);
    }
  }));
});
