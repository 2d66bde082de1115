import { Buffer } from "node:buffer";
import { validateHeaderName, validateHeaderValue } from "node:http";
import { SallyportError } from "../../../shared/errors.ts";
import type { HeaderList } from "../../../shared/protocol/messages.ts";
import type { Refusal } from "./refusal.ts";

/** Control characters except tab; in a status line they would allow response splitting. */
const NOT_REASON = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Encodes a response head (RFC 9112 section 4); names keep their case.
 *
 * @throws SallyportError `target_protocol` when a name or a value is not valid HTTP.
 */
export function encodeHead(status: number, reason: string, headers: HeaderList): Uint8Array {
  if (NOT_REASON.test(reason)) {
    throw new SallyportError(
      "target_protocol",
      "Cannot forward the response: its reason phrase has control characters",
    );
  }
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name, value] = [headers[i]!, headers[i + 1]!];
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (cause) {
      throw new SallyportError("target_protocol", `Cannot forward the response: invalid field ${name}`, {
        cause,
      });
    }
    head += `${name}: ${value}\r\n`;
  }
  return Buffer.from(`${head}\r\n`, "latin1");
}

/** Encodes a refusal after which the connection closes; the response to a `HEAD` has no body. */
export function encodeRefusal(refusal: Refusal, headOnly = false): Uint8Array {
  const headers = [...refusal.headers, "Connection", "close"];
  const body = Buffer.from(headOnly ? "" : refusal.body);
  return Buffer.concat([encodeHead(refusal.status, refusal.reason, headers), body]);
}
