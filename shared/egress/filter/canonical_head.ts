import { quote } from "../../text/sanitize.ts";
import { SallyportError } from "../../errors.ts";
import { listedTokens } from "../../http/headers.ts";
import { FIELD_TEXT, TOKEN } from "../../protocol/shape.ts";

/** How a response's body ends: after a number of bytes, with the last chunk, or with the connection. */
export type Framing = number | "chunked" | "connection" | "switched";

/** A response's head in canonical form, which every parser reads alike. */
export interface CanonicalHead {
  /** Status line and fields, each line ended by CRLF, and the empty line. */
  text: string;
  status: number;
  framing: Framing;
  /** Whether the connection may serve another request, as far as the head's framing goes (RFC 9112 section 6.1). */
  reusable: boolean;
}

/** Other versions are another protocol; several SP are the lenient parsing of RFC 9112 section 4. */
const STATUS_LINE = /^HTTP\/1\.([01]) +([1-9]\d\d)(?: (.*))?$/;
const DIGITS = /^\d+$/;

/** Fields that say where the message ends; folding one, or hiding its name, has no legitimate use. */
const FRAMING_FIELDS: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);

interface Field {
  name: string;
  key: string;
  value: string;
  /** There was white space before the colon. */
  spaced: boolean;
  folded: boolean;
}

/**
 * Reads a response's head as leniently as RFC 9112 allows and writes it strictly: bare LF ends a line (section 2.2),
 * folds become SP (5.2), white space before a colon is removed (5.1), equal lengths become one (RFC 9110 section 8.6).
 *
 * @param raw The head's bytes as Latin-1, its empty line included.
 * @param headOnly Whether the response has no body because the request's method is HEAD.
 * @throws SallyportError `target_protocol` for what is ambiguous.
 */
export function canonicalHead(raw: string, headOnly: boolean): CanonicalHead {
  const [first = "", ...lines] = linesOf(raw);
  const match = STATUS_LINE.exec(first);
  if (!match) throw invalidResponse("its first line is not the status line of HTTP/1.1 or HTTP/1.0");
  const [, minor, digits, reason = ""] = match;
  if (!FIELD_TEXT.test(reason)) throw invalidResponse("its reason phrase has control characters");
  const fields = fieldsOf(lines);
  const status = Number(digits);
  const length = lengthOf(fields);
  const chunked = isChunked(fields);
  if (chunked && length !== undefined) throw invalidResponse("it has a Content-Length and chunks");
  if (status === 101) requireSwitch(fields);
  // RFC 9110 section 8.6 and RFC 9112 section 6.1: these have no body and may not announce one.
  const kept = status < 200 || status === 204
    ? fields.filter(({ key }) => !FRAMING_FIELDS.has(key))
    : oneLength(fields, length);
  return {
    text: `HTTP/1.${minor} ${status} ${trimBlanks(reason)}\r\n${written(kept)}`,
    status,
    framing: framingOf(status, headOnly, chunked ? "chunked" : length),
    reusable: !(chunked && minor === "0"),
  };
}

/**
 * Does the same for the trailer section that follows the last chunk.
 *
 * @throws SallyportError `target_protocol` also for fields that frame a message (RFC 9110 section 6.5.1).
 */
export function canonicalTrailers(raw: string): string {
  const fields = fieldsOf(linesOf(raw));
  const framing = fields.find(({ key }) => FRAMING_FIELDS.has(key));
  if (framing) throw invalidResponse(`it has a ${framing.key} among its trailers`);
  return written(fields);
}

/** The error for a response that breaks HTTP. */
export function invalidResponse(why: string): SallyportError {
  return new SallyportError("target_protocol", `Cannot read the response: ${why}`);
}

/** The lines without their ends and without the empty one that ends them all. */
function linesOf(raw: string): string[] {
  const lines = raw.split("\n").map((line) => line.endsWith("\r") ? line.slice(0, -1) : line);
  lines.splice(-2);
  return lines;
}

function fieldsOf(lines: readonly string[]): Field[] {
  const fields: Field[] = [];
  for (const line of lines) {
    if (line.startsWith(" ") || line.startsWith("\t")) unfold(fields.at(-1), trimBlanks(line));
    else fields.push(fieldOf(line));
  }
  for (const { key, value, folded } of fields) {
    // This also finds a bare CR and NUL.
    if (!FIELD_TEXT.test(value)) throw invalidResponse(`its field ${key} has control characters`);
    if (folded && FRAMING_FIELDS.has(key)) throw invalidResponse(`its ${key} is folded`);
  }
  return fields;
}

function fieldOf(line: string): Field {
  const colon = line.indexOf(":");
  const rawName = line.slice(0, Math.max(colon, 0));
  const name = trimBlanks(rawName);
  if (!TOKEN.test(name)) throw invalidResponse("a line of its head is not a field");
  const value = trimBlanks(line.slice(colon + 1));
  return { name, key: name.toLowerCase(), value, spaced: name !== rawName, folded: false };
}

function unfold(field: Field | undefined, rest: string): void {
  if (field === undefined) throw invalidResponse("its first field is folded");
  field.folded = true;
  if (rest !== "") field.value += field.value === "" ? rest : ` ${rest}`;
}

function isChunked(fields: readonly Field[]): boolean {
  const [field, ...more] = fields.filter(({ key }) => key === "transfer-encoding");
  if (field === undefined) return false;
  if (more.length > 0) throw invalidResponse(`it has ${more.length + 1} Transfer-Encoding fields`);
  if (field.spaced) throw invalidResponse("its Transfer-Encoding has white space before the colon");
  if (field.value.toLowerCase() === "chunked") return true;
  throw invalidResponse(`its Transfer-Encoding is ${quote(field.value)}`);
}

/** RFC 9110 section 8.6: the same number several times is that number; anything else is invalid. */
function lengthOf(fields: readonly Field[]): number | undefined {
  const values = fields.filter(({ key }) => key === "content-length").flatMap(({ value }) =>
    value.split(",").map(trimBlanks)
  );
  const [value, ...more] = values;
  if (value === undefined) return undefined;
  const length = DIGITS.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(length)) throw invalidResponse(`its Content-Length is ${quote(value, 40)}`);
  if (more.some((other) => other !== value)) throw invalidResponse("its Content-Length fields differ");
  return length;
}

/** Leaves the first `Content-Length` where it stands. */
function oneLength(fields: readonly Field[], length: number | undefined): Field[] {
  let seen = false;
  return fields.flatMap((field) => {
    if (field.key !== "content-length") return [field];
    if (seen) return [];
    seen = true;
    return [{ ...field, value: String(length) }];
  });
}

/** RFC 9110 sections 7.8 and 15.2.2. */
function requireSwitch(fields: readonly Field[]): void {
  const list = fields.flatMap(({ name, value }) => [name, value]);
  if (listedTokens(list, "upgrade").length > 0 && listedTokens(list, "connection").includes("upgrade")) {
    return;
  }
  throw invalidResponse("it switches protocols and does not say to which");
}

/** RFC 9112 section 6.3. */
function framingOf(status: number, headOnly: boolean, said: "chunked" | number | undefined): Framing {
  if (status === 101) return "switched";
  if (headOnly || status < 200 || status === 204 || status === 304) return 0;
  return said ?? "connection";
}

function written(fields: readonly Field[]): string {
  let text = "";
  for (const { name, value } of fields) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}

/** A loop, because a pattern that ends in `$` takes quadratic time for a long run of blanks. */
function trimBlanks(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isBlank(text, from)) from++;
  while (to > from && isBlank(text, to - 1)) to--;
  return text.slice(from, to);
}

function isBlank(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit === 0x20 || unit === 0x09;
}
