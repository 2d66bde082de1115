/** Purpose: closing a program's terminal drains it, although SIGHUP otherwise requests a reload. */
import assert from "node:assert/strict";
import { taskCommand } from "../../../scripts/process/task_command.ts";
import { childEnvironment } from "../../../scripts/process/child_environment.ts";
import { Chain } from "../../support/programs/chain.ts";
import { eventually } from "../../support/eventually.ts";
import { whyMissing } from "../../support/tools.ts";

const missing = Deno.build.os === "linux" ? await whyMissing("script") : "only Linux has this script";

Deno.test({
  name: `the server stops when its terminal is closed${missing ? `: ${missing}` : ""}`,
  ignore: missing !== undefined,
  async fn() {
    await using chain = await Chain.prepare();
    const { dir } = chain;
    const { flags, module } = await taskCommand("server");
    const log = `${dir}/log`;
    const words = [Deno.execPath(), ...flags, module].map((word) => `'${word}'`).join(" ");
    const certs = { CERT: "server.crt", KEY: "server.key", CA_CERT: "ca.crt" };
    const terminal = new Deno.Command("script", {
      args: ["-qec", `exec ${words} 2>${log}`, "/dev/null"],
      env: {
        ...childEnvironment(),
        ...Object.fromEntries(
          Object.entries(certs).map(([key, name]) => [`SALLYPORT_${key}_FILE`, `${dir}/certs/${name}`]),
        ),
        SALLYPORT_LISTEN_PORT: "0",
        SALLYPORT_HEALTH_PORT: "0",
      },
      clearEnv: true,
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const logged = async (message: string) => {
      const text = await Deno.readTextFile(log).catch(() => "");
      assert.ok(text.includes(`"message":"${message}"`), text);
    };
    try {
      await eventually("the server listens", () => logged("health listening"));
    } finally {
      terminal.kill("SIGKILL");
      await terminal.status;
      await terminal.stdin.close().catch(() => {});
    }
    await eventually("the server stopped", () => logged("stopped"));
    assert.match(await Deno.readTextFile(log), /"message":"stopping"[^\n]*"reason":"SIGHUP"/);
  },
});
