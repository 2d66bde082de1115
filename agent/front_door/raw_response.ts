import { Buffer } from "node:buffer";
import { validateHeaderName, validateHeaderValue } from "node:http";
import { SallyportError } from "../../shared/errors.ts";
import type { HeaderList } from "../../shared/protocol/messages.ts";
import type { Refusal } from "./refusal.ts";

/** Control characters but tab; what they would do to a status line is response splitting. */
const NOT_REASON = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Writes a response head as it goes over the wire (RFC 9112 section 4), names in their case.
 * @throws SallyportError `target_protocol` when a name or a value is not of HTTP.
 */
export function encodeHead(status: number, reason: string, headers: HeaderList): Uint8Array {
  if (NOT_REASON.test(reason)) {
    throw new SallyportError(
      "target_protocol",
      "Cannot pass the answer on: its reason has control characters",
    );
  }
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name, value] = [headers[i]!, headers[i + 1]!];
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (cause) {
      throw new SallyportError("target_protocol", `Cannot pass the answer on: bad field ${name}`, { cause });
    }
    head += `${name}: ${value}\r\n`;
  }
  return Buffer.from(`${head}\r\n`, "latin1");
}

/** Writes a whole refusal, after which the connection closes; the body is left out in the answer to a `HEAD`. */
export function encodeRefusal(refusal: Refusal, headOnly = false): Uint8Array {
  const headers = [...refusal.headers, "Connection", "close"];
  const body = Buffer.from(headOnly ? "" : refusal.body);
  return Buffer.concat([encodeHead(refusal.status, refusal.reason, headers), body]);
}
