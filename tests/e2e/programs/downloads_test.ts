/** Purpose: a first start downloads only what the program needs, and says before how much that is. */
import assert from "node:assert/strict";
import { childEnvironment } from "../../../scripts/process/child_environment.ts";
import { startCountingProxy } from "../../support/faults/counting_proxy.ts";

/** The most that a first start may download besides Deno itself. */
const MOST_MEGABYTES = 15;
const ROOT = `${import.meta.dirname}/../../..`;
const PROXIES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/** Whether Deno reaches its package registry without a proxy, so that the test's proxy can count. */
const isDirect = PROXIES.every((name) => !Deno.env.get(name));

async function start(task: string, args: readonly string[], cache: string, proxy: string) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", task, ...args],
    cwd: ROOT,
    env: { ...childEnvironment(), NO_COLOR: "1", DENO_DIR: cache, HTTPS_PROXY: proxy },
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    signal: AbortSignal.timeout(180_000),
  }).output();
  return { code, lines: new TextDecoder().decode(stderr).trimEnd().split("\n") };
}

const ANNOUNCED = /^first start: downloading about (\d+) MB once \(.+\)$/;

for (
  const [task, args] of [
    ["agent", ["--version"]],
    ["certs", ["--help"]],
    ["server", ["--version"]],
    ["demo", ["--fetch-only"]],
  ] as const
) {
  Deno.test({
    name: `the first start of ${task} says how much it downloads, at most ${MOST_MEGABYTES} MB`,
    ignore: !isDirect,
    async fn() {
      const cache = await Deno.makeTempDir({ prefix: "sallyport_cache_" });
      await using proxy = await startCountingProxy();
      try {
        const first = await start(task, args, cache, proxy.url);
        assert.equal(first.code, 0, first.lines.join("\n"));
        const said = Number(ANNOUNCED.exec(first.lines[0] ?? "")?.[1]);
        const megabytes = proxy.received / 1e6;
        assert.ok(megabytes <= said && megabytes > said - 2, `${megabytes} MB, said: ${first.lines[0]}`);
        assert.ok(said <= MOST_MEGABYTES, first.lines[0]);

        const again = await start(task, args, cache, proxy.url);
        assert.equal(again.code, 0, again.lines.join("\n"));
        assert.ok(!again.lines.some((line) => /download/i.test(line)), again.lines.join("\n"));
        assert.equal(proxy.received / 1e6, megabytes, "a second start downloads nothing");
      } finally {
        await Deno.remove(cache, { recursive: true });
      }
    },
  });
}
