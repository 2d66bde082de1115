import assert from "node:assert/strict";
import { SallyportError } from "../../errors.ts";
import { HEADER_BYTES, MAX_BODY_BYTES, MAX_JSON_BYTES, readHeader, writeHeader } from "./frame_header.ts";

function header(jsonLength: number, bodyLength: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  writeHeader(new DataView(bytes.buffer), 0, { jsonLength, bodyLength });
  return bytes;
}

function assertTooLarge(jsonLength: number, bodyLength: number, message: RegExp): void {
  assert.throws(() => readHeader(header(jsonLength, bodyLength), 0), (error: unknown) => {
    assert.ok(error instanceof SallyportError, String(error));
    assert.equal(error.code, "frame_too_large");
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("frame header is two big-endian numbers of four bytes (SPEC 2.1)", () => {
  assert.deepEqual([...header(0x0102, 0x030405)], [0, 0, 1, 2, 0, 3, 4, 5]);
  const bytes = new Uint8Array([9, 9, 0, 0, 1, 2, 0, 3, 4, 0, 9]);
  assert.deepEqual(readHeader(bytes, 2), { jsonLength: 0x0102, bodyLength: 0x030400 });
});

Deno.test("frame lengths within the ranges of SPEC 2.2 are accepted", () => {
  for (const jsonLength of [2, 3, MAX_JSON_BYTES]) {
    for (const bodyLength of [0, 1, MAX_BODY_BYTES]) {
      assert.deepEqual(readHeader(header(jsonLength, bodyLength), 0), { jsonLength, bodyLength });
    }
  }
  assert.equal(MAX_JSON_BYTES, 262_144);
  assert.equal(MAX_BODY_BYTES, 262_144);
});

Deno.test("frame lengths out of the ranges of SPEC 2.2 are frame_too_large", () => {
  for (const length of [0, 1, 262_145, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    assertTooLarge(length, 0, new RegExp(`jsonLength ${length} is not in 2\\.\\.262144$`));
  }
  for (const length of [262_145, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    assertTooLarge(2, length, new RegExp(`bodyLength ${length} is not in 0\\.\\.262144$`));
  }
});

Deno.test("frame header begins with 0x00 for every length allowed (SPEC 1.3, 2.2)", () => {
  for (const jsonLength of [2, 255, 65_536, MAX_JSON_BYTES]) assert.equal(header(jsonLength, 0)[0], 0);
});
