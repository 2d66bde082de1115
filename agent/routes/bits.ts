import type { Address } from "../../shared/targets/address.ts";

/** An address as digits in base two, 32 or 128 of them: so a range is a beginning. */
export function bitsOf(address: Address): string {
  return address.toByteArray().map(bitsOfByte).join("");
}

/** Eight digits. */
export function bitsOfByte(byte: number): string {
  return byte.toString(2).padStart(8, "0");
}
