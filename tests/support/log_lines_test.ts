import assert from "node:assert/strict";
import { LogLines } from "./log_lines.ts";

Deno.test("LogLines finds a line that arrives in pieces and lifts its properties", async () => {
  const log = new LogLines();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const reading = log.read(readable);
  const line = log.waitFor("proxy listening");
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  await writer.write(encoder.encode('noise\n{"message":"proxy lis'));
  await writer.write(encoder.encode('tening","properties":{"port":7}}\n'));
  assert.equal((await line).fields["port"], 7);
  await writer.close();
  await reading;
  assert.match(log.text, /^noise\n/);
});

Deno.test("LogLines gives up when the program ends without the line, and shows its output", async () => {
  const log = new LogLines();
  const line = log.waitFor("server listening");
  await log.read(new Blob(["some stack trace"]).stream());
  await assert.rejects(line, /the program ended[^]*some stack trace/);
});
