import assert from "node:assert/strict";
import { unzipSync } from "fflate";
import { signCall } from "../../agent/cloud/sign_call.ts";
import { packageLambdas } from "../../scripts/lambdas/package.ts";
import { FakeRuntimeApi, urlEvent } from "../support/cloud/runtime_api.ts";
import { startHttpOrigin } from "../support/origins/http_origin.ts";
import { LogLines } from "../support/log_lines.ts";
import { TestPki } from "../support/pki/pki.ts";
import { within } from "../support/within.ts";
import { terminal } from "../../shared/cli/terminal.ts";

const HOST = "abc.lambda-url.eu-central-1.on.aws";
const arch = Deno.build.arch === "aarch64" ? "arm64" : "x86_64";

/** Unpacks an archive as Lambda does, with file modes, and makes it read-only. */
async function unpack(archive: string, folder: string): Promise<void> {
  await Deno.mkdir(folder);
  for (const [name, bytes] of Object.entries(unzipSync(await Deno.readFile(archive)))) {
    await Deno.writeFile(`${folder}/${name}`, bytes, { mode: 0o444 });
  }
  const { success } = await new Deno.Command("sh", {
    args: [
      "-c",
      'cd "$0" && for f in bootstrap deno; do [ ! -e "$f" ] || chmod 555 "$f"; done; chmod 555 .',
      folder,
    ],
  }).output();
  assert.ok(success, "the archive's files get their modes");
}

/** The parts of ECS that Query uses. */
function ecs(service: object | undefined) {
  return startHttpOrigin((request) => {
    const action = request.headers.get("x-amz-target")?.split(".").at(-1);
    const body = action === "DescribeServices" ? { services: service === undefined ? [] : [service] } : {};
    return Response.json(body, { headers: { "content-type": "application/x-amz-json-1.1" } });
  });
}

/** Starts the function as Lambda does, with only the variables that Lambda sets. */
function start(
  dir: string,
  name: string,
  api: FakeRuntimeApi,
  env: Record<string, string>,
): Deno.ChildProcess {
  return new Deno.Command(`${dir}/opt/bootstrap`, {
    clearEnv: true,
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      AWS_LAMBDA_RUNTIME_API: api.address,
      LAMBDA_TASK_ROOT: `${dir}/${name}`,
      _HANDLER: "handler.handler",
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      ...env,
    },
    cwd: `${dir}/${name}`,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

Deno.test("the layer runs the functions in a clean environment on a read-only folder", async (t) => {
  const dir = await Deno.makeTempDir({ prefix: "sallyport_layer_" });
  const pki = await TestPki.create();
  try {
    const { layer, functions } = await packageLambdas({ arch, outDir: `${dir}/out` });
    await unpack(layer, `${dir}/opt`);
    for (const name of ["query", "sleep"] as const) await unpack(functions[name], `${dir}/${name}`);
    const variables = {
      SALLYPORT_CLUSTER: "cluster",
      SALLYPORT_SERVICE: "service",
      SALLYPORT_CA_CERT_PEM: pki.ca,
    };

    await t.step("Query answers authenticated callers only", async () => {
      await using cloud = ecs({ status: "ACTIVE", desiredCount: 0 });
      await using api = new FakeRuntimeApi();
      const begun = performance.now();
      const child = start(dir, "query", api, { ...variables, AWS_ENDPOINT_URL: `http://${cloud.host}` });
      const log = new LogLines();
      const read = log.read(child.stderr);
      try {
        const refused = await within(
          30_000,
          api.invoke(urlEvent({ method: "GET", host: HOST })),
          "the first answer",
        );
        terminal.out(`cold start, ms until a first answer: ${Math.round(performance.now() - begun)}\n`);
        assert.equal((refused.body as { statusCode: number }).statusCode, 401, log.text);
        const call = {
          action: "query",
          method: "GET",
          url: new URL(`https://${HOST}/`),
          now: Date.now(),
        } as const;
        const authorization = `Bearer ${await signCall(call, await pki.client())}`;
        const event = urlEvent({ method: "GET", host: HOST, authorization });
        const { body } = await within(30_000, api.invoke(event), "the second answer");
        const { statusCode, body: text } = body as { statusCode: number; body: string };
        assert.deepEqual([statusCode, JSON.parse(text)], [200, { state: "stopped", servers: [] }], log.text);
        const line = await log.waitFor("call answered");
        assert.equal(line.fields["client"], "test-client");
      } finally {
        child.kill("SIGKILL");
        await Promise.all([child.status, read]);
      }
    });

    await t.step("a missing variable is an init error with its name", async () => {
      await using api = new FakeRuntimeApi();
      const child = start(dir, "sleep", api, { SALLYPORT_CLUSTER: "cluster" });
      const log = new LogLines();
      const read = log.read(child.stderr);
      const { body } = await within(30_000, api.initError.promise, "the init error");
      assert.match((body as { errorMessage: string }).errorMessage, /SALLYPORT_SERVICE/);
      const { code } = await within(10_000, child.status, "the end");
      await read;
      assert.equal(code, 1, log.text);
    });
  } finally {
    await new Deno.Command("chmod", { args: ["-R", "u+w", dir] }).output();
    await Deno.remove(dir, { recursive: true });
  }
});
