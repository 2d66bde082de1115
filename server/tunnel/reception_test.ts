import assert from "node:assert/strict";
import type { LogFields } from "../../shared/log.ts";
import { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { over } from "../../tests/support/over.ts";
import { sessionEnd } from "../../tests/support/session_pair.ts";
import { within } from "../../tests/support/within.ts";
import { Reception } from "./reception.ts";

const PEER = {
  ...{ commonName: "laptop", serial: "1f", fingerprint: "", notAfter: new Date(0) },
  names: { dns: [], uris: [], addresses: [] },
};

Deno.test("reception logs what a stream's room throws, and the agent stays connected", async () => {
  const logged: LogFields[] = [];
  const reception = new Reception({
    log: { debug() {}, info() {}, warn() {}, error: (_, fields) => void logged.push(fields ?? {}) },
    budget: new MemoryBudget(0),
    session: {},
    clock: new ManualClock(),
    stream() {
      throw new Error("a bug");
    },
  });
  const [near, far] = MemoryTransport.pair();
  const agent = sessionEnd(near, "dialer");
  reception.welcome(far, PEER);
  await within(5_000, agent.opened, "the session opens");
  const stream = agent.session.open({ type: "connect_request", payload: { host: "a", port: 1 } });
  assert.equal((await over(stream))?.code, "internal");
  assert.equal(logged.length, 1);
  const { stack, ...fields } = logged[0]!;
  assert.deepEqual(fields, {
    client: "laptop",
    serial: "1f",
    reason: "Cannot go on with stream 1: its callback failed: a bug",
  });
  assert.match(String(stack), /reception_test/);
  assert.equal(reception.connectionCount, 1);
  agent.session.close("going_away", "done");
  await within(5_000, agent.closed, "the session closes");
  await MemoryTransport.settled();
  assert.equal(reception.connectionCount, 0);
});
