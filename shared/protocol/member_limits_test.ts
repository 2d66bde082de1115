/** Purpose: members of messages have exactly the limits that SPEC.md 2.7 gives to other implementations. */
import assert from "node:assert/strict";
import { SallyportError } from "../errors.ts";
import {
  isSessionType,
  isStreamType,
  readSessionMessage,
  readStreamFrame,
  readStreamMessage,
} from "./messages.ts";

const SPEC = Deno.readTextFileSync(new URL("SPEC.md", import.meta.url));

/** A row of the table, for one of its members. */
interface Limit {
  readonly kind: "text" | "number";
  readonly from: number;
  readonly to: number;
}

const number = (digits: string) => Number(digits.replaceAll(",", ""));
const LIMITS: ReadonlyMap<string, Limit> = new Map(
  [...SPEC.matchAll(/^\| (`.+`) +\| (text|number) +\| ([\d,]+) +\| ([\d,]+) +\|$/gm)].flatMap(
    ([, members, kind, from, to]) =>
      [...members!.matchAll(/`(\w+)`/g)].map(([, member]): [string, Limit] => [
        member!,
        { kind: kind as Limit["kind"], from: number(from!), to: number(to!) },
      ]),
  ),
);

type Payload = { readonly [member: string]: unknown };
const stream = { stream: 1, n: 0 };
const target = { ...stream, host: "example.org", port: 443 };
const error = { code: "dns_error", message: "no such name" };
/** Messages that together have every member. */
const MESSAGES: readonly (readonly [string, Payload])[] = [
  ["hello", {
    version: 2,
    software: "s",
    window: 1,
    max_streams: 0,
    id: "a",
    session: "0".repeat(32),
    link: 1,
  }],
  ["window", { stream: 1, total: 1 }],
  ["ack", { bytes: 0 }],
  ["reset", { stream: 1, ...error }],
  ["ping", { nonce: 0 }],
  ["pong", { nonce: 0 }],
  ["goaway", { ...error, last_stream: 0 }],
  ["status", { agents: 1, streams: 2 }],
  ["connect_request", target],
  ["connect_ack", { ...stream, error }],
  ["http_request", { ...target, method: "GET", path: "/", headers: [] }],
  ["http_response", { ...stream, status: 200, reason: "OK", headers: [] }],
  ["http_response", { ...stream, error }],
  ["websocket_open", { ...target, path: "/", headers: [] }],
  ["websocket_ack", { ...stream, status: 101, reason: "", headers: [] }],
];

/** Each member with a limit, and the message with another value of it. */
const CASES = MESSAGES.flatMap(([type, payload]) =>
  Object.entries(payload).flatMap(([member, value]): Case[] => {
    if (member === "error") {
      return Object.keys(error).map((inner) => ({
        type,
        member: inner,
        with: (changed) => ({ ...payload, error: { ...error, [inner]: changed } }),
      }));
    }
    if (typeof value === "object") return [];
    return [{ type, member, with: (changed) => ({ ...payload, [member]: changed }) }];
  })
);

interface Case {
  readonly type: string;
  readonly member: string;
  with(value: unknown): Payload;
}

/** Whether a message with these members breaks the protocol. */
function isViolation(type: string, payload: Payload): boolean {
  try {
    if (isSessionType(type)) readSessionMessage(type, payload);
    else if (isStreamType(type)) {
      readStreamFrame(type, payload);
      readStreamMessage(type, payload);
    } else throw new Error(`no such message: ${type}`);
    return false;
  } catch (reason) {
    if (!(reason instanceof SallyportError)) throw reason;
    // Another version is no violation.
    return reason.code === "protocol_violation";
  }
}

/** A value of a member that has this length, or is this number. */
function valueOf(member: string, { kind }: Limit, size: number): unknown {
  return kind === "number" ? size : (member === "path" ? "/" : "a").repeat(size);
}

Deno.test("members of messages have the limits of SPEC 2.7", () => {
  for (const { type, member, with: change } of CASES) {
    const limit = LIMITS.get(member);
    assert.ok(limit !== undefined, `SPEC.md limits ${member} of ${type}`);
    const isRefused = (size: number) => isViolation(type, change(valueOf(member, limit, size)));
    assert.ok(!isRefused(limit.from), `${type} with the least ${member}`);
    assert.ok(!isRefused(limit.to), `${type} with the most ${member}`);
    if (limit.kind === "number" || limit.from > 0) {
      assert.ok(isRefused(limit.from - 1), `${type} with less ${member}`);
    }
    assert.ok(isRefused(limit.to + 1), `${type} with more ${member}`);
    assert.ok(isViolation(type, change(null)), `${type} with null as ${member}`);
  }
});

Deno.test("SPEC 2.7 limits no member that messages do not have", () => {
  assert.deepEqual([...LIMITS.keys()].sort(), [...new Set(CASES.map(({ member }) => member))].sort());
});
