import assert from "node:assert/strict";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { configuredTrace, traceSessions } from "./session_trace.ts";

const KEY = "0123456789abcdef0123456789abcdef";
/** `printf 0123456789abcdef0123456789abcdef | sha256sum`, its first 8 digits. */
const NAME = "3eb1bd43";

Deno.test("trace logs events with the session's name, which is not its id", () => {
  const [life, frames] = [new LogNotes(), new LogNotes()];
  const trace = traceSessions({ life, frames })(KEY)!;
  trace.life!("link opened", { link: 2, from: "192.0.2.7:1" });
  trace.frame!("frame sent", { type: "ack", link: 2 });
  assert.deepEqual(life.notes, [
    { level: "debug", message: "link opened", fields: { session: NAME, link: 2, from: "192.0.2.7:1" } },
  ]);
  assert.deepEqual(frames.notes, [
    { level: "debug", message: "frame sent", fields: { session: NAME, type: "ack", link: 2 } },
  ]);
});

Deno.test("trace has no functions for what is not asked for, so that it costs nothing", () => {
  const keys = (trace: object | undefined) => trace && Object.keys(trace);
  const at = (logLevel: "debug" | "info", traceFrames: boolean) =>
    keys(configuredTrace({ logLevel, traceFrames })(KEY));
  assert.deepEqual(
    [at("info", false), at("debug", false), at("info", true), at("debug", true)],
    [undefined, ["life"], ["frame"], ["life", "frame"]],
  );
});
