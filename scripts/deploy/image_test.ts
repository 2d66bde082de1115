import assert from "node:assert/strict";
import { ECRClient } from "@aws-sdk/client-ecr";
import { FakeAws } from "../../tests/support/cloud/fake_aws.ts";
import { type ImagePlan, pushImage } from "./image.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;
const PLAN: ImagePlan = {
  repository: "tunnel-server",
  uri: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/tunnel-server",
  commit: "0123456789ab",
  arch: "arm64",
};

/** A program that records its arguments and its input. */
async function builder(dir: string, code = 0): Promise<string> {
  const path = `${dir}/builder`;
  const script = [
    "#!/bin/sh",
    `echo "$*" >> '${dir}/calls'`,
    `echo "$BUILDX_NO_DEFAULT_ATTESTATIONS" > '${dir}/plain'`,
    `[ "$1" = login ] && cat > '${dir}/password'`,
    `exit ${code}\n`,
  ].join("\n");
  await Deno.writeTextFile(path, script, { mode: 0o755 });
  return path;
}

/** A repository that has images from the first or second request on; or a single image, by its tag. */
function repository(has: boolean | string) {
  let looks = 0;
  return new FakeAws((action, input) => {
    if (action === "GetAuthorizationToken") {
      return { body: { authorizationData: [{ authorizationToken: btoa("AWS:hunter2") }] } };
    }
    const [{ imageTag }] = input["imageIds"] as [{ imageTag: string }];
    const isThere = typeof has === "string" ? imageTag === has : has || looks++ > 0;
    if (isThere) return { body: { imageDetails: [{ imageDigest: DIGEST }] } };
    return { status: 400, body: { __type: "ImageNotFoundException", message: "no such image" } };
  });
}

Deno.test("an image is built for its processor and pushed, and the password is not an argument", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await using _ = repository(false);
    const image = await pushImage(new ECRClient({}), await builder(dir), PLAN, () => {});
    assert.equal(image, `${PLAN.uri}@${DIGEST}`);
    const calls = (await Deno.readTextFile(`${dir}/calls`)).trim().split("\n");
    assert.deepEqual(calls.map((call) => call.split(" ")[0]), ["build", "login", "push"]);
    assert.match(calls[0]!, /--platform linux\/arm64 --target server .*--tag \S+:0123456789ab-arm64 \.$/);
    assert.equal(await Deno.readTextFile(`${dir}/password`), "hunter2");
    assert.equal(await Deno.readTextFile(`${dir}/plain`), "1\n", "an image is one entry of the repository");
    assert.ok(!calls.join("\n").includes("hunter2"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("an existing image is not built again", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await using _ = repository(true);
    assert.equal(
      await pushImage(new ECRClient({}), await builder(dir), PLAN, () => {}),
      `${PLAN.uri}@${DIGEST}`,
    );
    await assert.rejects(Deno.stat(`${dir}/calls`), Deno.errors.NotFound);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("an image of the same commit for another processor is built", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await using _ = repository("0123456789ab-arm64");
    const program = await builder(dir);
    await pushImage(new ECRClient({}), program, PLAN, () => {});
    await assert.rejects(Deno.stat(`${dir}/calls`), Deno.errors.NotFound);
    const other = pushImage(new ECRClient({}), program, { ...PLAN, arch: "x86_64" }, () => {});
    await assert.rejects(other, /Cannot find \S+:0123456789ab-x86_64 in the repository after it was pushed/);
    assert.match(
      await Deno.readTextFile(`${dir}/calls`),
      /--platform linux\/amd64 .*:0123456789ab-x86_64 \./,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a failed build is an error with the failed step", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await using _ = repository(false);
    const pushed = pushImage(new ECRClient({}), await builder(dir, 3), PLAN, () => {});
    await assert.rejects(pushed, /builder build exited with code 3/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
