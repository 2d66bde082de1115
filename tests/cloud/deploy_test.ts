/** Purpose: deploy, update, fail, continue and destroy, with the code of the real commands against an emulated AWS. */
import assert from "node:assert/strict";
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
} from "@aws-sdk/client-cloudformation";
import { ECSClient, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { loadAgentConfig } from "../../agent/config/config.ts";
import { deploy } from "../../scripts/deploy/deploy.ts";
import type { DeployContext } from "../../scripts/deploy/plan.ts";
import { destroy } from "../../scripts/deploy/destroy.ts";
import { redeploy } from "../../scripts/deploy/redeploy.ts";
import { deployment, IMAGE, parameters, service, stackParameters } from "../support/cloud/deployment.ts";
import { testCrl } from "../support/pki/test_crl.ts";
import { cloudTest } from "../support/cloud/python_env.ts";

await cloudTest(
  "a deployment creates everything, configures the agent, and uploads no key but the server's",
  async (bin) => {
    await using all = await deployment(bin);
    assert.equal(await deploy(all.options, all.context), true);
    const config = await loadAgentConfig({ file: all.options.agentFile, environment: {} });
    assert.match(config.cloud!.endpoints.wake.href, /^https:/);
    assert.ok(config.cloud!.endpoints.query && config.cloud!.endpoints.kill);
    assert.ok(all.printed.includes("role AWSServiceRoleForECS: created"), all.printed.join("\n"));
    assert.equal((await service())?.desiredCount, 0);
    const held = await parameters();
    assert.deepEqual(Object.keys(held).sort(), [
      "/tunnel/ca",
      "/tunnel/certificate",
      "/tunnel/crl",
      "/tunnel/key",
    ]);
    assert.equal(held["/tunnel/key"], await Deno.readTextFile(`${all.dir}/certs/server.key`));
    for (const name of ["ca.key", "client.key"]) {
      const key = (await Deno.readTextFile(`${all.dir}/certs/${name}`)).split("\n")[1]!;
      for (const [parameter, value] of Object.entries(held)) {
        assert.ok(
          !value.includes(key),
          `${name} in ${parameter}`,
        );
      }
    }
    const { StackResources = [] } = await new CloudFormationClient({}).send(
      new DescribeStackResourcesCommand({ StackName: "tunnel" }),
    );
    const types = new Set(StackResources.map(({ ResourceType }) => ResourceType));
    for (
      const type of ["AWS::ECS::Service", "AWS::Lambda::Function", "AWS::Lambda::Url", "AWS::Events::Rule"]
    ) {
      assert.ok(types.has(type), `${type} in ${[...types].join(", ")}`);
    }
  },
);

await cloudTest(
  "no existing stack sets the number of servers, not even after a failed creation",
  async (bin) => {
    await using all = await deployment(bin);
    const cloudFormation = new CloudFormationClient({});
    // A change set that is never executed leaves an empty stack.
    await cloudFormation.send(
      new CreateChangeSetCommand({
        StackName: "tunnel",
        ChangeSetName: "given-up",
        ChangeSetType: "CREATE",
        TemplateBody: JSON.stringify({ Resources: { Logs: { Type: "AWS::Logs::LogGroup" } } }),
      }),
    );
    await deploy(all.options, all.context);
    assert.match(
      all.printed.join("\n"),
      /stack tunnel: removing .*REVIEW_IN_PROGRESS[^]*stack tunnel: created/,
    );
    assert.equal((await service())?.desiredCount, 0);
    assert.equal((await stackParameters())["IsNew"], "false");
  },
);

await cloudTest("a second deployment stops no server and uploads only new code", async (bin) => {
  await using all = await deployment(bin);
  await deploy(all.options, all.context);
  const update = new UpdateServiceCommand({ cluster: "tunnel", service: "tunnel-server", desiredCount: 1 });
  await new ECSClient({}).send(update);
  await Deno.writeTextFile(all.packages.functions.wake, "new code");
  all.printed.length = 0;
  assert.equal(await deploy(all.options, all.context), true);
  assert.equal((await service())?.desiredCount, 1);
  const text = all.printed.join("\n");
  assert.match(text, /code wake\.zip: uploaded/);
  assert.match(text, /role AWSServiceRoleForECS: exists/);
  assert.match(text, /code query\.zip: unchanged/);
  assert.match(text, /parameter \/tunnel\/key: unchanged/);
  assert.match(text, /agent\.yaml: unchanged/);
});

await cloudTest("a failed deployment continues where it stopped", async (bin) => {
  await using all = await deployment(bin);
  const broken = {
    ...all.packages,
    functions: { ...all.packages.functions, kill: `${all.dir}/missing.zip` },
  };
  const context = { ...all.context, packageLambdas: () => Promise.resolve(broken) };
  await assert.rejects(deploy(all.options, context), /missing\.zip/);
  assert.equal(await service(), undefined);
  all.printed.length = 0;
  assert.equal(await deploy(all.options, all.context), true);
  assert.match(all.printed.join("\n"), /code wake\.zip: unchanged/);
  assert.equal((await service())?.desiredCount, 0);
});

await cloudTest("a newer revocation list is deployed, and none is required before the first", async (bin) => {
  await using all = await deployment(bin);
  const crl = `${all.dir}/certs/crl.pem`;
  await Deno.remove(crl);
  await deploy(all.options, all.context);
  assert.ok(!("/tunnel/crl" in await parameters()));
  const files = ["ca.crt", "ca.key"].map((name) => Deno.readTextFile(`${all.dir}/certs/${name}`));
  const [cert, key] = await Promise.all(files);
  const list = await testCrl({ cert: cert!, key: key! });
  const pem = `-----BEGIN X509 CRL-----\n${list.toBase64()}\n-----END X509 CRL-----\n`;
  await Deno.writeTextFile(crl, pem);
  await deploy(all.options, all.context);
  assert.equal((await parameters())["/tunnel/crl"], pem);
});

await cloudTest("a list in force is removed only on request", async (bin) => {
  await using all = await deployment(bin);
  await deploy(all.options, all.context);
  assert.match(all.printed.join("\n"), /revocation list: the next one is due in 824 days/);
  await Deno.remove(`${all.dir}/certs/crl.pem`);
  await assert.rejects(deploy(all.options, all.context), /crl\.pem is missing.* pass --without-crl/);
  assert.ok("/tunnel/crl" in await parameters());
  await deploy({ ...all.options, withoutCrl: true }, all.context);
  assert.ok(!("/tunnel/crl" in await parameters()));
  assert.equal((await stackParameters())["CrlParameter"], "");
  await deploy(all.options, all.context);
});

await cloudTest(
  "client rules are deployed to the server and the functions, and kept until changed",
  async (bin) => {
    await using all = await deployment(bin);
    const deployed = async (clientsAllow: string | undefined) => {
      await deploy({ ...all.options, clientsAllow }, all.context);
      return (await stackParameters())["ClientsAllow"];
    };
    assert.equal(await deployed("cn:laptop-*,cn:ci"), "cn:laptop-*,cn:ci");
    assert.match(all.printed.join("\n"), /clients +cn:laptop-\*,cn:ci/);
    assert.equal(await deployed(undefined), "cn:laptop-*,cn:ci");
    await redeploy("tunnel", "registry.example/sallyport-server:2", all.context);
    assert.equal((await stackParameters())["ClientsAllow"], "cn:laptop-*,cn:ci");
    assert.equal(await deployed(""), "");
  },
);

await cloudTest("invalid client rules are refused before anything is created", async (bin) => {
  await using all = await deployment(bin);
  for (
    const [rules, reason] of [["laptop", /clients\.allow\.0/], [
      `cn:${"a".repeat(4_000)}`,
      /room for/,
    ]] as const
  ) {
    await assert.rejects(deploy({ ...all.options, clientsAllow: rules }, all.context), reason);
  }
  assert.deepEqual(await parameters(), {});
  assert.equal(await service(), undefined);
});

await cloudTest("a limit of the functions is kept until changed", async (bin) => {
  await using all = await deployment(bin);
  const limit = async () => (await stackParameters())["ReservedConcurrency"];
  await deploy({ ...all.options, reservedConcurrency: 5 }, all.context);
  assert.equal(await limit(), "5");
  await deploy(all.options, all.context);
  assert.equal(await limit(), "5");
  await deploy({ ...all.options, reservedConcurrency: 0 }, all.context);
  assert.equal(await limit(), "0");
});

await cloudTest("redeploy replaces the image and nothing else", async (bin) => {
  await using all = await deployment(bin);
  await deploy(all.options, all.context);
  const before = await service();
  await redeploy("tunnel", "registry.example/sallyport-server:2", all.context);
  const after = await service();
  assert.equal(after?.desiredCount, before?.desiredCount);
  await assert.rejects(redeploy("nowhere", IMAGE, all.context), /stack not found/);
});

await cloudTest("destroy leaves nothing, and can be repeated", async (bin) => {
  await using all = await deployment(bin);
  await deploy(all.options, all.context);
  assert.equal(await destroy("tunnel", { ...all.context, confirm: () => false }), false);
  assert.ok(await service());
  assert.equal(await destroy("tunnel", all.context), true);
  assert.deepEqual(await parameters(), {});
  assert.deepEqual((await new S3Client({}).send(new ListBucketsCommand({}))).Buckets ?? [], []);
  const { Stacks = [] } = await new CloudFormationClient({}).send(new DescribeStacksCommand({}));
  assert.deepEqual(Stacks.filter(({ StackStatus }) => StackStatus !== "DELETE_COMPLETE"), []);
  assert.equal(await destroy("tunnel", all.context), true);
});

await cloudTest("the private key is removed even when the stack cannot be removed", async (bin) => {
  await using all = await deployment(bin);
  await deploy(all.options, all.context);
  const context: DeployContext = {
    ...all.context,
    async signIn() {
      const account = await all.context.signIn();
      account.cloudFormation.middlewareStack.add(
        (next, { commandName }) => (args) => {
          if (commandName === "DeleteStackCommand") throw new Error("not now");
          return next(args);
        },
        { step: "initialize" },
      );
      return account;
    },
  };
  await assert.rejects(destroy("tunnel", context), /not now/);
  assert.deepEqual(await parameters(), {});
  assert.equal(await destroy("tunnel", all.context), true);
});

await cloudTest("a dry run, and a cancelled deployment, change nothing", async (bin) => {
  await using all = await deployment(bin);
  assert.equal(await deploy({ ...all.options, dryRun: true }, all.context), false);
  assert.equal(await deploy(all.options, { ...all.context, confirm: () => false }), false);
  assert.deepEqual(await parameters(), {});
  assert.match(all.printed.join("\n"), /USD a month at rest, 0\.0\d\d USD an hour/);
});
