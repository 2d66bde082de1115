/**
 * Purpose: when a connection is cut during a download, the logs of both programs at `debug` tell the same story, joined
 * by ids, `trace_frames` has every frame at both ends, and neither has content or a secret. The audit line has the
 * resumption and the address, with its port only where there was one connection.
 */
import assert from "node:assert/strict";
import { beginDownload, startHalfSendingOrigin, WHOLE_BODY } from "../../support/clients/half_sent.ts";
import { Relay } from "../../support/faults/relay.ts";
import type { LogLine } from "../../support/log_lines.ts";
import { auditLines } from "../../support/programs/audit_lines.ts";
import { Chain } from "../../support/programs/chain.ts";
import type { Program } from "../../support/programs/programs.ts";
import { curl } from "../../support/clients/curl.ts";
import { within } from "../../support/within.ts";

const TRACED = { SALLYPORT_LOG_LEVEL: "debug", SALLYPORT_TRACE_FRAMES: "1" };
const FRAME_FIELDS = ["session", "type", "link", "stream", "n", "bytes", "body_bytes"];

Deno.test("both logs tell the same story of a download whose connection is cut", async () => {
  await using chain = await Chain.prepare({ agent: { connections: 1 } });
  await chain.startServer(TRACED);
  await using relay = await Relay.start(chain.serverPort);
  await chain.startAgent(TRACED, { server_port: relay.port });
  await using origin = startHalfSendingOrigin();
  const { ended } = await beginDownload(["-x", chain.proxyUrl, `http://${origin.host}/private/path?query`]);
  // Both ends lose the connection before they have another one.
  relay.cut();
  relay.silence();
  for (const { log } of [chain.agent, chain.server]) await log.waitFor("session waiting");
  relay.restore();
  for (const { log } of [chain.agent, chain.server]) await log.waitFor("session resumed");
  origin.release();
  assert.equal((await within(10_000, ended, "the download")).text, WHOLE_BODY);
  const [audit] = await auditLines(chain, 1);
  assert.equal(audit!["resumptions"], 1);
  assert.deepEqual(audit!["from"], ["127.0.0.1"], "several connections from one address");
  assert.equal((await curl(["-x", chain.proxyUrl, `http://${origin.host}/`])).text, WHOLE_BODY);
  const [, later] = await auditLines(chain, 2);
  assert.equal(later!["resumptions"], 0);
  assert.match(String(later!["from"]), /^127\.0\.0\.1:\d+$/, "one connection");
  await chain.finish();

  const [agent, server] = [storyOf(chain.agent), storyOf(chain.server)];
  assert.deepEqual(agent, server);
  assert.deepEqual(agent, [
    "session opened, waiting, resumed, ended",
    "link 1 opened, lost",
    "link 2 opened, closed",
    `stream 1 opened, ended: 0 out, ${WHOLE_BODY.length} in`,
    `stream 3 opened, ended: 0 out, ${WHOLE_BODY.length} in`,
  ]);
  assertSameFrames(chain);
  const logs = chain.agent.log.text + chain.server.log.text;
  assert.doesNotMatch(logs, /half|private\/path|\b[0-9a-f]{32}\b/, "content, or the id of a session");
});

Deno.test("SALLYPORT_TRACE_FRAMES that is neither true nor false is an error", async () => {
  await using chain = await Chain.prepare();
  await assert.rejects(chain.startServer({ SALLYPORT_TRACE_FRAMES: "frames" }), (error: Error) => {
    assert.match(error.message, /SALLYPORT_TRACE_FRAMES: Cannot use variable: expected true or false/);
    return true;
  });
});

/** What a program logged about its only session: the life of the session, and of each link and stream. */
function storyOf(program: Program): string[] {
  const lines = program.log.lines.filter(({ message }) => /^(session|link|stream) [a-z]+$/.test(message));
  const names = new Set(lines.map(({ fields }) => fields["session"]));
  assert.equal(names.size, 1, `${program.name}: ${[...names]}`);
  assert.match(String([...names][0]), /^[0-9a-f]{8}$/);
  const lives = new Map<string, string[]>();
  for (const { message, fields } of lines) {
    const [subject = "", event = ""] = message.split(" ");
    const key = subject === "session" ? subject : `${subject} ${fields[subject]}`;
    lives.set(key, [...lives.get(key) ?? [], event + bytesOf(program, message, fields)]);
  }
  const order = ["session", "link", "stream"];
  return [...lives].map(([subject, events]) => `${subject} ${events.join(", ")}`)
    .sort((a, b) => order.indexOf(a.split(" ")[0]!) - order.indexOf(b.split(" ")[0]!));
}

/** The counts of a stream's end, as the agent sees them. */
function bytesOf(
  { name }: Program,
  message: string,
  { sent_bytes, received_bytes }: LogLine["fields"],
): string {
  if (message !== "stream ended") return "";
  const [out, back] = name === "agent" ? [sent_bytes, received_bytes] : [received_bytes, sent_bytes];
  return `: ${out} out, ${back} in`;
}

/** What one program received, the other one sent, and the trace has nothing but figures and names of types. */
function assertSameFrames({ agent, server }: Chain): void {
  for (const [from, to] of [[agent, server], [server, agent]] as const) {
    const sent = new Set(framesOf(from, "frame sent"));
    const received = framesOf(to, "frame received");
    assert.ok(received.length > 5, `${received.length} frames`);
    assert.deepEqual(received.filter((frame) => !sent.has(frame)), []);
  }
  const bodies = framesOf(agent, "frame received").map((frame) => JSON.parse(frame) as number[]);
  const firsts = new Map(bodies.map((fields) => [fields.slice(3, 5).join(), fields.at(-1)!]));
  assert.equal([...firsts.values()].reduce((sum, bytes) => sum + bytes, 0), 2 * WHOLE_BODY.length);
}

/** The frames of one direction in a program's log. */
function framesOf({ log }: Program, event: string): string[] {
  return log.lines.filter(({ message }) => message === event).map(({ fields }) => {
    const { "@timestamp": _time, level: _level, logger, ...rest } = fields;
    assert.equal(logger, "sallyport.frames");
    assert.deepEqual(Object.keys(rest).filter((name) => !FRAME_FIELDS.includes(name)), []);
    assert.match(String(rest["type"]), /^[a-z_]+$/);
    return JSON.stringify(FRAME_FIELDS.map((name) => rest[name]));
  });
}
