import { X509Certificate } from "node:crypto";
import { DER, readWholeDer } from "../../../shared/pki/x509/der.ts";

/** The order of the group of P-256 (SEC 2 section 2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function der(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const content = parts.flatMap((part) => [...part]);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return new Uint8Array([tag, ...head, ...content]);
}

/**
 * Returns the same certificate with its other valid ECDSA signature: with (r, s), (r, order − s) is valid too. Anyone can
 * compute it.
 */
export function withSecondSignature(certificate: X509Certificate): X509Certificate {
  const [list] = readWholeDer(new Uint8Array(certificate.raw));
  const [signed, algorithm, signature] = readWholeDer(list!.content);
  const [values] = readWholeDer(signature!.content.subarray(1));
  const [r, s] = readWholeDer(values!.content);
  const hex = (ORDER - BigInt(`0x${s!.content.toHex()}`)).toString(16);
  const bytes = Uint8Array.fromHex(hex.padStart(hex.length + hex.length % 2, "0"));
  const other = der(DER.integer, bytes[0]! >= 0x80 ? new Uint8Array([0, ...bytes]) : bytes);
  const bits = der(DER.bitString, new Uint8Array([0]), der(DER.sequence, r!.raw, other));
  return new X509Certificate(der(DER.sequence, signed!.raw, algorithm!.raw, bits));
}
