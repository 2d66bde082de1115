import { SallyportError } from "../errors.ts";

/** The JSON part of a frame, with an unchecked payload (SPEC.md 2.3). */
export interface Envelope {
  /** The type of the message. */
  type: string;
  /** The message's members. */
  payload: object;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Writes an envelope as UTF-8 JSON. */
export function encodeEnvelope(envelope: Envelope): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(envelope));
}

/** Reads an envelope; throws `protocol_violation` for anything else (SPEC.md 2.3). */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const value = parse(bytes);
  if (!isObject(value)) throw invalid(`expected an object, got ${describe(value)}`);
  const { type, payload } = value;
  if (typeof type !== "string") throw invalid(`type must be a string, got ${describe(type)}`);
  if (!isObject(payload)) throw invalid(`payload must be an object, got ${describe(payload)}`);
  return { type, payload };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw invalid(cause instanceof SyntaxError ? "not JSON" : "not UTF-8", cause);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
}

function invalid(problem: string, cause?: unknown): SallyportError {
  return new SallyportError("protocol_violation", `Cannot read envelope: ${problem}`, { cause });
}
