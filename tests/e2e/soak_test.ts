/** Purpose: the soak runs, finds nothing wrong, tells its seed and leaves nothing behind. */
import assert from "node:assert/strict";

Deno.test("a soak of half a minute finds nothing wrong", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "soak", "--minutes", "0.5"],
    cwd: `${import.meta.dirname}/../..`,
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(180_000),
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, `${text}${new TextDecoder().decode(stderr)}`);
  assert.match(text, /^soak of 0\.5 minutes, seed \d+$/m);
  assert.match(text, /s: \d{2,} done, \d+ failed by \d+ faults, 0 wrong; \d+ MB checked; /);
  for (
    const kind of [
      "download",
      "upload",
      "half-close",
      "cancelled",
      "GET",
      "POST",
      "WebSocket",
      "target reset",
    ]
  ) {
    assert.match(text, new RegExp(`${kind} \\d+`), kind);
  }
  assert.match(text, /all is well\n$/);
});

Deno.test("the soak refuses minutes that are none", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "soak", "--minutes", "soon"],
    cwd: `${import.meta.dirname}/../..`,
    env: { NO_COLOR: "1" },
  }).output();
  assert.notEqual(code, 0);
  assert.match(new TextDecoder().decode(stderr), /Minutes are not a number above 0: soon/);
});
