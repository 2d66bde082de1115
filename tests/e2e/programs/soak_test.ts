/** Purpose: the soak test runs without problems, shows its seed and leaves nothing behind. */
import assert from "node:assert/strict";

Deno.test("a soak test of half a minute finds no problems", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "soak", "--minutes", "0.5"],
    cwd: `${import.meta.dirname}/../../..`,
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(180_000),
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, `${text}${new TextDecoder().decode(stderr)}`);
  assert.match(text, /^soak of 0\.5 minutes, seed \d+$/m);
  assert.match(text, /s: \d{2,} done, [1-9]\d* of them survived some of [1-9]\d* cuts, /);
  assert.match(text, /cuts, \d+ failed by \d+ faults, 0 wrong; \d+ MB checked; /);
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
  assert.match(text, /no problems found\n$/);
});

Deno.test("the soak test refuses invalid minutes", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "soak", "--minutes", "soon"],
    cwd: `${import.meta.dirname}/../../..`,
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(code, 2);
  assert.match(new TextDecoder().decode(stderr), /argument 'soon' is invalid\. a number above 0 is expected/);
});
