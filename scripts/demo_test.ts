/** Purpose: demo and soak explain a wrong command line as the other programs do. */
import assert from "node:assert/strict";
import { childEnvironment } from "./process/child_environment.ts";

/** Runs a task that is expected to start nothing. */
async function run(...words: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", ...words],
    cwd: new URL("../", import.meta.url),
    env: { ...childEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

const WRONG: readonly (readonly [words: string[], message: RegExp])[] = [
  [["demo", "--proxi-port", "1"], /^demo: unknown option '--proxi-port' \(Did you mean --proxy-port\?\)\n$/],
  [["demo", "--proxy-port", "99999"], /^demo: option '--proxy-port <port>' argument '99999' is invalid\. /],
  [["demo", "extra"], /^demo: too many arguments/],
  [["soak", "--minutes", "0"], /^soak: option '--minutes <minutes>' argument '0' is invalid\. /],
  [["soak", "extra"], /^soak: too many arguments/],
];

for (const [words, message] of WRONG) {
  Deno.test(`deno task ${words.join(" ")} is refused with exit code 2 and the program's name`, async () => {
    const { code, out, errors } = await run(...words);
    assert.match(errors, message);
    assert.equal(errors.trimEnd().split("\n").length, 1, errors);
    assert.deepEqual([code, out], [2, ""]);
  });
}

Deno.test("the demo names a port that is in use and its flag, with exit code 1", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const { code, out, errors } = await run("demo", "--proxy-port", String(port));
  assert.equal(
    errors,
    `demo: Cannot start the demo: port ${port} for the agent's proxy on 127.0.0.1 is already in use; ` +
      "choose another with --proxy-port (0 picks a free one)\n",
  );
  assert.deepEqual([code, out], [1, ""]);
});
