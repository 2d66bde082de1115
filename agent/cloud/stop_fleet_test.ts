import assert from "node:assert/strict";
import type { Action } from "../../shared/cloud/call.ts";
import type { FleetStatus } from "../../shared/cloud/fleet_status.ts";
import { SallyportError } from "../../shared/errors.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import type { CallResult } from "./fleet_client.ts";
import { stopUnusedFleet } from "./stop_fleet.ts";

const A = { ip: "192.0.2.1", port: 443 };
const B = { ip: "192.0.2.2", port: 443 };
const ONE: FleetStatus = { state: "running", servers: [A] };
const failed: CallResult = {
  kind: "retryable",
  error: new SallyportError("tunnel_down", "throttled"),
  retryInMs: 0,
};

interface Row {
  readonly what: string;
  readonly status?: FleetStatus | "failed" | "no query";
  /** Agents of each server; -1 for a server that cannot be queried. */
  readonly agents?: Readonly<Record<string, number>>;
  readonly known?: { host: string; port: number }[];
  readonly stops: boolean;
  readonly reason: RegExp;
}

const ROWS: readonly Row[] = [
  { what: "it is alone", agents: { [A.ip]: 1 }, stops: true, reason: /no other agent/ },
  { what: "others are there", agents: { [A.ip]: 3 }, stops: false, reason: /other agents connected: 2/ },
  {
    what: "it is alone on two servers",
    status: { state: "running", servers: [A, B] },
    agents: { [A.ip]: 1, [B.ip]: 1 },
    stops: true,
    reason: /no other agent/,
  },
  {
    what: "another is on the other server",
    status: { state: "running", servers: [A, B] },
    agents: { [A.ip]: 1, [B.ip]: 2 },
    stops: false,
    reason: /other agents connected: 1/,
  },
  {
    what: "one of two servers cannot be asked",
    status: { state: "running", servers: [A, B] },
    agents: { [A.ip]: 1, [B.ip]: -1 },
    stops: false,
    reason: /unreachable/,
  },
  {
    what: "the fleet is stopped",
    status: { state: "stopped", servers: [] },
    stops: false,
    reason: /already stopped/,
  },
  {
    what: "the fleet is starting",
    status: { state: "starting", servers: [] },
    stops: false,
    reason: /other agents may wait/,
  },
  { what: "Query fails", status: "failed", stops: false, reason: /throttled/ },
  {
    what: "there is no Query, and the known server serves it alone",
    status: "no query",
    known: [{ host: A.ip, port: 443 }],
    agents: { [A.ip]: 1 },
    stops: true,
    reason: /no other agent/,
  },
  {
    what: "there is no Query and nothing known",
    status: "no query",
    stops: false,
    reason: /its address is not known/,
  },
];

for (
  const { what, status = ONE, agents = {}, known = [], stops, reason } of ROWS
) {
  Deno.test(`the last agent ${stops ? "stops" : "leaves"} the servers when ${what}`, async () => {
    const calls: Action[] = [];
    const log = new LogNotes();
    const client = {
      canQuery: status !== "no query",
      call(action: Action): Promise<CallResult> {
        calls.push(action);
        if (action === "kill") {
          return Promise.resolve({ kind: "answered", status: { state: "stopped", servers: [] } });
        }
        return Promise.resolve(typeof status === "string" ? failed : { kind: "answered", status });
      },
    };
    const countAgents = ({ host }: { host: string }) => {
      const count = agents[host]!;
      return count < 0
        ? Promise.reject(new SallyportError("tunnel_down", "unreachable"))
        : Promise.resolve(count);
    };
    await stopUnusedFleet({ client, log, servers: known, countAgents }, new AbortController().signal);
    assert.equal(calls.includes("kill"), stops);
    const [note] = log.notes;
    assert.match(`${note?.message} ${note?.fields["reason"] ?? note?.fields["error"]}`, reason);
  });
}

const KILL_ANSWERS: Readonly<Record<string, [result: CallResult, level: string, message: string]>> = {
  "that others use it": [
    { kind: "permanent", error: new SallyportError("tunnel_down", "2 agents are connected"), isInUse: true },
    "info",
    "server left running",
  ],
  "that metrics cannot be read": [
    { kind: "retryable", error: new SallyportError("tunnel_down", "no metrics"), retryInMs: 0 },
    "warn",
    "cannot stop the server",
  ],
};

for (const [what, [result, level, message]] of Object.entries(KILL_ANSWERS)) {
  Deno.test(`the last agent logs what Kill answers: ${what}`, async () => {
    const log = new LogNotes();
    const client = {
      canQuery: true,
      call: (action: Action): Promise<CallResult> =>
        Promise.resolve(action === "kill" ? result : { kind: "answered", status: ONE }),
    };
    const countAgents = () => Promise.resolve(1);
    await stopUnusedFleet({ client, log, servers: [], countAgents }, new AbortController().signal);
    assert.ok(result.kind !== "answered");
    const text = result.error.message;
    const fields = level === "warn" ? { error: text } : { reason: text };
    assert.deepEqual(log.notes, [{ level, message, fields }]);
  });
}

Deno.test("servers are left running if the queries time out", async () => {
  const late = new AbortController();
  const log = new LogNotes();
  const client = {
    canQuery: true,
    call: (): Promise<CallResult> =>
      Promise.resolve({ kind: "answered", status: { state: "running", servers: [A] } }),
  };
  const countAgents = (_: unknown, signal: AbortSignal) =>
    new Promise<number>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const left = stopUnusedFleet({ client, log, servers: [], countAgents }, late.signal);
  await Promise.resolve();
  late.abort(new Error("too long"));
  await left;
  assert.match(String(log.notes[0]?.fields["error"]), /timed out/);
});
