import assert from "node:assert/strict";
import type { BenchResult, PathResult } from "./results.ts";
import { tablesOf } from "./table.ts";

/** The tables of these paths, without the lines above the first one. */
function tables(...paths: PathResult[]): string {
  const result: BenchResult = {
    started_at: "2026-11-28T12:00:00Z",
    deno: "2.9.6",
    processors: 2,
    runs: 3,
    seconds: 1,
    mb: 10,
    paths,
  };
  const [, ...sections] = tablesOf(result).split("\n\n");
  return sections.join("\n\n");
}

Deno.test("a table has medians and ratios for each metric, and memory below it", () => {
  const row = (id: string, own: number[], other: number[]) => ({
    row: id,
    title: id,
    metrics: ["MB/s"] as const,
    measured: {
      Sallyport: { runs: own.map((value) => ({ "MB/s": value })), errors: [] },
      "ssh -D": { runs: other.map((value) => ({ "MB/s": value })), errors: [] },
    },
  });
  assert.equal(
    tables({
      path: "loopback",
      title: "loopback",
      subjects: [
        { name: "Sallyport", memory_mib: { agent: 90.6, server: 80.2 } },
        { name: "ssh -D" },
        { name: "stunnel", skipped: "no stunnel on this machine" },
      ],
      rows: [row("down", [100, 300, 250.4], [500, 125, 100]), row("up", [1.2345], [0])],
    }),
    `### loopback

| what | unit | Sallyport | ssh -D | ratio    |
| ---- | ---- | --------- | ------ | -------- |
| down | MB/s | 250       | 125    | 2.00     |
| up   | MB/s | 1.23      | 0      | Infinity |

stunnel left out: no stunnel on this machine.

Resident memory of Sallyport at the end: agent 91 MiB, server 80 MiB.
`,
  );
});

Deno.test("a row with a failed run has no figure, and its error below the table", () => {
  const text = tables({
    path: "loopback",
    title: "loopback",
    subjects: [{ name: "Sallyport" }],
    rows: [{
      row: "gets1",
      title: "small GETs",
      metrics: ["p50 ms"],
      measured: { Sallyport: { runs: [{ "p50 ms": 1 }], errors: ["the connection was closed"] } },
    }],
  });
  assert.match(text, /^\| small GETs \| p50 ms \| – +\|$/m);
  assert.match(text, /^small GETs, Sallyport: 1 failed, such as: the connection was closed\.$/m);
});

Deno.test("a path that this machine cannot have is left out with its reason", () => {
  const path = {
    path: "loss",
    title: "a lossy path",
    skipped: "no right to make one",
    subjects: [],
    rows: [],
  };
  assert.equal(tables(path), "### a lossy path\n\nLeft out: no right to make one.\n");
});
