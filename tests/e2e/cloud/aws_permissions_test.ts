/**
 * Purpose: every program that calls AWS has the permissions to do so over TLS: emulators speak plain HTTP, which needs
 * fewer permissions.
 */
import assert from "node:assert/strict";
import { childEnvironment } from "../../../scripts/process/child_environment.ts";
import { NO_NODE_MODULES, taskCommand } from "../../../scripts/process/task_command.ts";
import { FakeAws } from "../../support/cloud/fake_aws.ts";
import { believing } from "../../support/origins/public_root.ts";
import { servingCertificate } from "../../support/pki/serving_certificate.ts";

const ROOT = new URL("../../../", import.meta.url);
const PROGRAM = new URL("tests/support/cloud/read_parameter.ts", ROOT).pathname;

/** Permissions of the functions on Lambda. */
async function bootstrapFlags(): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("lambdas/runtime/bootstrap", ROOT));
  return text.match(/--(allow|deny|ignore)-\S+/g) ?? [];
}

/** The flags for network, environment and system; reading is needed for the program itself. */
function decisive(flags: readonly string[]): string[] {
  return [...flags.filter((flag) => /^--(allow|deny|ignore)-(net|env|sys)\b/.test(flag)), "--allow-read"];
}

const CALLERS: Readonly<Record<string, [flags: () => Promise<readonly string[]>, how: "shared" | "own"]>> = {
  "the server": [async () => (await taskCommand("server")).flags, "shared"],
  "the functions": [bootstrapFlags, "shared"],
  "deploy": [async () => (await taskCommand("deploy")).flags, "own"],
  "destroy": [async () => (await taskCommand("destroy")).flags, "own"],
  "redeploy": [async () => (await taskCommand("redeploy")).flags, "own"],
};
for (const [who, [flags, how]] of Object.entries(CALLERS)) {
  Deno.test(`${who} may call AWS over TLS`, async () => {
    const tls = await servingCertificate();
    const root = await Deno.makeTempFile({ prefix: "sallyport_root_", suffix: ".crt" });
    await Deno.writeTextFile(root, tls.ca);
    await using aws = new FakeAws(() => ({ body: { Parameter: { Value: "it works" } } }), tls);
    try {
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          NO_NODE_MODULES,
          "--no-prompt",
          "--no-remote",
          ...decisive(await flags()),
          PROGRAM,
          how,
        ],
        env: { ...childEnvironment(), ...aws.env, ...believing(root), NO_COLOR: "1" },
        clearEnv: true,
        cwd: ROOT.pathname,
        stdin: "null",
      }).output();
      const decoder = new TextDecoder();
      assert.equal(decoder.decode(stdout), "it works", decoder.decode(stderr));
    } finally {
      await Deno.remove(root);
    }
  });
}
