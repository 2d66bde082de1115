import assert from "node:assert/strict";
import { SallyportError } from "../errors.ts";
import { errorLines, explain } from "./terminal.ts";

Deno.test("explain shows the message of a SallyportError without its causes", () => {
  const error = new SallyportError("bad_request", "Cannot do it: current value is 1", {
    cause: new Error("inner"),
  });
  assert.equal(explain(error), "Cannot do it: current value is 1");
});

Deno.test("explain shows the causes of other errors", () => {
  const error = new Error("outer", { cause: new TypeError("middle", { cause: new Error("inner") }) });
  assert.equal(explain(error), "outer: middle: inner");
  assert.equal(explain(new Error("outer: inner", { cause: new Error("inner") })), "outer: inner");
  assert.equal(explain(new TypeError("")), "TypeError");
});

Deno.test("explain accepts any thrown value", () => {
  assert.equal(explain("text"), "text");
  assert.equal(explain(undefined), "undefined");
  const circle = new Error("round");
  circle.cause = circle;
  assert.equal(explain(circle), "round");
});

Deno.test("errorLines shows control and hidden characters as code points", () => {
  const error = new SallyportError("bad_request", "Cannot use CN=\u001b]0;owned\u0007\u009b31m\u202e\nnext");
  const shown = "prog: Cannot use CN=\\u{1b}]0;owned\\u{7}\\u{9b}31m\\u{202e}\n";
  assert.deepEqual(errorLines("prog", error), [shown, "prog: next\n"]);
});

Deno.test("output to a closed pipe ends without an error", async () => {
  const module = new URL("./terminal.ts", import.meta.url).href;
  const script = `import { terminal } from "${module}";
    await Deno.stdin.read(new Uint8Array(1));
    terminal.out("x\\n".repeat(1_000_000));`;
  const io = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  const args = ["eval", "--no-config", script];
  const child = new Deno.Command(Deno.execPath(), { args, ...io }).spawn();
  await child.stdout.cancel();
  await child.stdin.close();
  const [{ code }, err] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assert.deepEqual([code, err], [0, ""]);
});
