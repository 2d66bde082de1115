import assert from "node:assert/strict";
import type { LinkFigures } from "../../shared/mux/session/session_figures.ts";
import { SESSION_SCHEMA, sessionStatus } from "./link_status.ts";
import { statusLines } from "./status.ts";

const FIRST: LinkFigures = {
  ...{ id: 1, remotes: ["192.0.2.7:8443"], roundTripMs: 12.345, sendRate: 1_234_567.8 },
  ...{ transferred: 5_000, isSuspect: false, carries: "interactive" },
};
const SECOND: LinkFigures = {
  ...{ id: 3, remotes: ["192.0.2.7:8443"], roundTripMs: undefined, sendRate: undefined },
  ...{ transferred: 0, isSuspect: true, carries: "nothing" },
};
const STATUS = { state: "ready", connections: 2, streams: 4, clients: 1 };
const COUNTS = "ready: 2 connections to servers, 4 streams, 1 client";

const session = (links: readonly LinkFigures[]) =>
  sessionStatus({ name: "2e5b156b", streams: 4, links, isWaiting: false, resumptions: 0, resentBytes: 0 });

Deno.test("a session's status has its links with units, without what was not measured", () => {
  const shown = session([FIRST, SECOND]);
  assert.deepEqual(shown, {
    session: "2e5b156b",
    streams: 4,
    links: [
      {
        ...{ id: 1, remote: "192.0.2.7:8443", round_trip_ms: 12.3, send_bytes_per_s: 1_234_568 },
        ...{ transferred_bytes: 5_000, suspect: false, carries: "interactive" },
      },
      { id: 3, remote: "192.0.2.7:8443", transferred_bytes: 0, suspect: true, carries: "nothing" },
    ],
  });
  assert.deepEqual(SESSION_SCHEMA.parse(JSON.parse(JSON.stringify(shown))), shown);
});

Deno.test("the status for people has a line for the links of each session, and one for what losses cost", () => {
  const lines = statusLines({
    ...STATUS,
    sessions: [session([FIRST, SECOND]), session([])],
    resumptions: 1,
    resent_bytes: 1_250_000,
  });
  assert.deepEqual(lines, [
    COUNTS,
    "links to 192.0.2.7:8443: 1 (round trip 12.3 ms, sends up to 9.9 Mbit/s, carries interactive), 3 (suspect)",
    "resumed 1 time, 1.3 MB sent again",
  ]);
});

Deno.test("the status for people has no line for links of an agent that reports none, or for losses without any", () => {
  assert.deepEqual(statusLines(STATUS), [COUNTS]);
  assert.deepEqual(statusLines({ ...STATUS, sessions: [session([])], resumptions: 0, resent_bytes: 0 }), [
    COUNTS,
  ]);
  assert.deepEqual(statusLines({ ...STATUS, sessions: [session([])], resumptions: 2, resent_bytes: 0 }), [
    COUNTS,
    "resumed 2 times",
  ]);
});
