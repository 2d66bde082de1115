import assert from "node:assert/strict";
import { configureLog, resetLog } from "../shared/log.ts";
import { MemoryBudget } from "../shared/mux/memory_budget.ts";
import { openDirectSide } from "./direct_side.ts";

/** What is logged while the script is written for these lists, and the script. */
async function scriptFor(
  lists: { bypass: string[]; block: string[] },
): Promise<{ log: string; text: string }> {
  const lines: string[] = [];
  configureLog({ write: (line) => lines.push(line) });
  try {
    const tunnel = () => Promise.reject(new Error("nobody asks"));
    const direct = openDirectSide(lists, { tunnel, budget: new MemoryBudget(1_000_000) });
    const text = direct.proxyScript({ host: "127.0.0.1", port: 8080 });
    await direct.drain(0);
    return { log: lines.join(""), text };
  } finally {
    resetLog();
  }
}

Deno.test("direct side warns of lists that are too long for a proxy script, and of no others", async () => {
  const names = Array.from({ length: 40_000 }, (_, i) => `site-${i}.example.org`);
  const fine = await scriptFor({ bypass: ["wiki.example"], block: names });
  assert.equal(fine.log, "");
  const long = await scriptFor({ bypass: names, block: [] });
  assert.match(long.log, /"level":"WARN"[^]*proxy script without lists[^]*"bytes":\d{7}/);
  assert.match(long.log, /shorten bypass/);
  assert.doesNotMatch(long.text, /example\.org/);
});
