/** Purpose: the templates are valid, allow nothing that is not called, and create nothing that is billed at rest. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { cloudTest } from "../support/cloud/python_env.ts";

const FOLDER = new URL("../../lambdas/", import.meta.url);

interface Resource {
  readonly Type: string;
  readonly Metadata?: { readonly After: readonly [condition: string, then: readonly string[]] };
  // deno-lint-ignore no-explicit-any -- a template may be arbitrarily deep
  readonly Properties: any;
}

/** Reads a template; short forms such as `!Ref` become their arguments. */
async function resourcesOf(file: string): Promise<Record<string, Resource>> {
  const text = await Deno.readTextFile(new URL(file, FOLDER));
  return parse(text, { logLevel: "silent" }).Resources;
}

const resources = await resourcesOf("template.yaml");
const bootstrap = await resourcesOf("bootstrap.yaml");

interface Statement {
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: unknown;
}

/** The statements of a role, conditional ones included. */
function statementsOf(role: string): Statement[] {
  const statements: unknown[] = resources[role]!.Properties.Policies[0].PolicyDocument.Statement;
  return statements.map((each) => Array.isArray(each) ? each[1] : each) as Statement[];
}

function actionsOf(role: string): string[] {
  return statementsOf(role).flatMap(({ Action }) => Action).sort();
}

/** The file whose calls need an action: a role has these actions and no others. */
const LOG = ["logs:CreateLogStream", "logs:PutLogEvents"]; // Lambda itself
const CALLERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  WakeRole: {
    "ecs:DescribeServices": "lambdas/aws/fleet.ts",
    "ecs:UpdateService": "lambdas/aws/fleet.ts",
    "ecs:ListTasks": "lambdas/aws/fleet.ts",
    "ecs:DescribeTasks": "lambdas/aws/fleet.ts",
    "ec2:DescribeNetworkInterfaces": "lambdas/aws/fleet.ts",
    "ssm:GetParameter": "shared/aws/parameter.ts",
  },
  QueryRole: {
    "ecs:DescribeServices": "lambdas/aws/fleet.ts",
    "ecs:ListTasks": "lambdas/aws/fleet.ts",
    "ecs:DescribeTasks": "lambdas/aws/fleet.ts",
    "ec2:DescribeNetworkInterfaces": "lambdas/aws/fleet.ts",
    "ssm:GetParameter": "shared/aws/parameter.ts",
  },
  SleepRole: {
    "ecs:DescribeServices": "lambdas/aws/fleet.ts",
    "ecs:UpdateService": "lambdas/aws/fleet.ts",
    "ecs:ListTasks": "lambdas/aws/fleet.ts",
    "ecs:DescribeTasks": "lambdas/aws/fleet.ts",
    "cloudwatch:GetMetricData": "lambdas/aws/activity.ts",
  },
  KillRole: {
    "ecs:DescribeServices": "lambdas/aws/fleet.ts",
    "ecs:UpdateService": "lambdas/aws/fleet.ts",
    "ecs:ListTasks": "lambdas/aws/fleet.ts",
    "ecs:DescribeTasks": "lambdas/aws/fleet.ts",
    "cloudwatch:GetMetricData": "lambdas/aws/activity.ts",
    "ssm:GetParameter": "shared/aws/parameter.ts",
  },
  ServerRole: {
    "cloudwatch:PutMetricData": "server/aws/reports.ts",
    "ssm:GetParameter": "shared/aws/parameter.ts",
  },
};

for (const [role, callers] of Object.entries(CALLERS)) {
  Deno.test(`the ${role} allows what its program calls, and nothing else`, async () => {
    const log = role === "ServerRole" ? [] : LOG;
    assert.deepEqual(actionsOf(role), [...Object.keys(callers), ...log].sort());
    for (const [action, file] of Object.entries(callers)) {
      const source = await Deno.readTextFile(new URL(`../${file}`, FOLDER));
      const command = `${action.split(":")[1]}Command`;
      assert.ok(source.includes(`new ${command}(`), `${command} in ${file}`);
    }
  });
}

/**
 * Allows a request that changes the count, and none that changes anything else that ecs:UpdateService has a key for.
 * ecs:auto-assign-public-ip depends on ecs:subnet; ecs:task-cpu and ecs:task-memory on the task definition.
 */
const COUNT_ONLY = {
  ArnEquals: { "ecs:cluster": "Cluster.Arn" },
  ArnEqualsIfExists: { "ecs:task-definition": "TaskDefinition" },
  BoolIfExists: {
    "ecs:enable-ecs-managed-tags": "true",
    "ecs:enable-ebs-volumes": "false",
    "ecs:enable-execute-command": "false",
    "ecs:enable-service-connect": "false",
    "ecs:enable-vpc-lattice": "false",
  },
  StringEqualsIfExists: { "ecs:propagate-tags": "SERVICE" },
  Null: {
    "ecs:subnet": "true",
    "ecs:capacity-provider": "true",
    "ecs:namespace": "true",
  },
};

for (const role of ["WakeRole", "SleepRole", "KillRole"]) {
  Deno.test(`the ${role} may change the number of servers of one service, and passes no role`, () => {
    const updates = statementsOf(role).filter(({ Action }) => [Action].flat().includes("ecs:UpdateService"));
    assert.deepEqual(updates.map(({ Condition }) => Condition), [COUNT_ONLY]);
    assert.match(String(updates[0]?.Resource), /service\/\$\{Cluster\}\/\$\{Service\.Name\}$/);
    assert.ok(!actionsOf(role).includes("iam:PassRole"));
  });
}

Deno.test("the conditions have the values of the service, so that they allow a change of the count", () => {
  const { PropagateTags, EnableECSManagedTags, EnableExecuteCommand } = resources["Service"]!.Properties;
  assert.deepEqual([PropagateTags, EnableECSManagedTags, EnableExecuteCommand], ["SERVICE", true, undefined]);
});

Deno.test("the server and the functions that agents call have the same client rules", () => {
  const [container] = resources["TaskDefinition"]!.Properties.ContainerDefinitions;
  const rules = container.Environment.find(({ Name }: { Name: string }) =>
    Name === "SALLYPORT_CLIENTS__ALLOW"
  );
  assert.equal(rules?.Value, "ClientsAllow");
  for (const name of ["Wake", "Query", "Kill"]) {
    const { Variables } = resources[`${name}Function`]!.Properties.Environment;
    assert.equal(Variables.SALLYPORT_CLIENTS__ALLOW, "ClientsAllow");
  }
});

Deno.test("servers report to a namespace of their installation and no other; Sleep and Kill read that one", () => {
  const own = "Sallyport/${Name}";
  const [put] = statementsOf("ServerRole").filter(({ Action }) => Action === "cloudwatch:PutMetricData");
  assert.deepEqual(put?.Condition, { StringEquals: { "cloudwatch:namespace": own } });
  const [container] = resources["TaskDefinition"]!.Properties.ContainerDefinitions;
  const told = container.Environment.find(({ Name }: { Name: string }) =>
    Name === "SALLYPORT_METRICS_NAMESPACE"
  );
  assert.equal(told?.Value, own);
  for (const name of ["Sleep", "Kill"]) {
    const { Variables } = resources[`${name}Function`]!.Properties.Environment;
    assert.equal(Variables.SALLYPORT_METRICS_NAMESPACE, own);
  }
});

/** Actions that support no resource. */
const UNBOUND = new Set([
  "ecr:GetAuthorizationToken",
  "ecs:ListTasks",
  "ec2:DescribeNetworkInterfaces",
  "cloudwatch:GetMetricData",
  "cloudwatch:PutMetricData",
]);

for (const role of [...Object.keys(CALLERS), "ExecutionRole"]) {
  Deno.test(`the ${role} lists every action, and every resource where possible`, () => {
    for (const { Action, Resource } of statementsOf(role)) {
      const actions = [Action].flat();
      for (const action of actions) assert.match(action, /^[a-z0-9]+:[A-Z][A-Za-z]+$/);
      const isUnbound = [Resource].flat().includes("*");
      if (isUnbound) assert.deepEqual(actions.filter((action) => !UNBOUND.has(action)), []);
    }
  });
}

Deno.test("nothing is created that is billed without use", () => {
  const BILLED =
    /NatGateway|LoadBalancer|EIP|VPCEndpoint|KMS::Key|SecretsManager|Alarm|Route53|Cache|Database/;
  const types = Object.values(resources).map(({ Type }) => Type);
  assert.deepEqual(types.filter((type) => BILLED.test(type)), []);
  assert.equal(resources["Service"]!.Properties.DesiredCount[1], 0);
});

Deno.test("servers have the tags that the budget filters by", () => {
  assert.equal(resources["Service"]!.Properties.PropagateTags, "SERVICE");
  assert.equal(resources["Service"]!.Properties.EnableECSManagedTags, true);
});

Deno.test("the budget has no name, since a new email address replaces it", () => {
  const { Budget, NotificationsWithSubscribers } = resources["Budget"]!.Properties;
  assert.equal(Budget.BudgetName, undefined);
  assert.equal(NotificationsWithSubscribers.length, 2);
});

Deno.test("servers are removed before their route", () => {
  const routes = Object.entries(resources).filter(([, { Type }]) => /::(Route|SubnetRouteT.*)$/.test(Type));
  assert.deepEqual(resources["Service"]!.Metadata?.After[1], routes.map(([name]) => name));
  assert.equal(routes.length, 3);
});

Deno.test("code is kept for rollbacks", () => {
  for (const rule of bootstrap["Artefacts"]!.Properties.LifecycleConfiguration.Rules) {
    assert.deepEqual(Object.keys(rule).filter((key) => /Expiration|Transition/.test(key)), []);
  }
});

Deno.test("the image in use survives several failed deployments", () => {
  const { rules } = JSON.parse(bootstrap["Repository"]!.Properties.LifecyclePolicy.LifecyclePolicyText);
  assert.deepEqual(rules.map((rule: { selection: object }) => rule.selection), [
    { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 20 },
  ]);
});

Deno.test("an update replaces servers without downtime", () => {
  const { MinimumHealthyPercent, MaximumPercent } = resources["Service"]!.Properties.DeploymentConfiguration;
  assert.deepEqual([MinimumHealthyPercent, MaximumPercent], [100, 200]);
});

Deno.test("functions have enough processor share to start while a stopping agent waits", () => {
  const functions = Object.values(resources).filter(({ Type }) => Type === "AWS::Lambda::Function");
  assert.equal(functions.length, 4);
  for (const { Properties } of functions) {
    assert.deepEqual([Properties.MemorySize, Properties.Timeout], [1024, 30]);
  }
});

Deno.test("no server in use is stopped to rebalance zones", () => {
  assert.equal(resources["Service"]!.Properties.AvailabilityZoneRebalancing, "DISABLED");
});

Deno.test("the cluster needs no service-linked role", () => {
  assert.equal(resources["Cluster"]!.Properties.CapacityProviders, undefined);
  assert.equal(resources["Service"]!.Properties.LaunchType, "FARGATE");
});

Deno.test("the server is not root, writes nothing, has no capabilities, and opens one port", () => {
  const [container] = resources["TaskDefinition"]!.Properties.ContainerDefinitions;
  assert.equal(container.User, "65532");
  assert.equal(container.ReadonlyRootFilesystem, true);
  assert.deepEqual(container.LinuxParameters.Capabilities.Drop, ["ALL"]);
  assert.deepEqual(container.HealthCheck.Command, ["CMD", "/server", "health"]);
  const { Timeout, Retries, StartPeriod } = container.HealthCheck;
  assert.deepEqual([Timeout, Retries, StartPeriod], [20, 5, 30], "busy is not ill");
  const ports = resources["SecurityGroup"]!.Properties.SecurityGroupIngress;
  assert.deepEqual(ports.map(({ FromPort, ToPort }: Record<string, string>) => [FromPort, ToPort]), [
    ["ListenPort", "ListenPort"],
  ]);
});

Deno.test("the private key is a secret and not in the environment", () => {
  const [container] = resources["TaskDefinition"]!.Properties.ContainerDefinitions;
  const secrets = container.Secrets.map(({ Name }: { Name: string }) => Name);
  assert.deepEqual(secrets, ["SALLYPORT_CERT_PEM", "SALLYPORT_KEY_PEM", "SALLYPORT_CA_CERT_PEM"]);
  for (const { Name } of container.Environment) assert.doesNotMatch(Name, /KEY|CERT/);
});

Deno.test("Wake, Query and Kill have a URL with both required permissions; Sleep has none", () => {
  for (const name of ["Wake", "Query", "Kill"]) {
    assert.equal(resources[`${name}Url`]!.Properties.AuthType, "NONE");
    assert.equal(resources[`${name}UrlPermission`]!.Properties.Action, "lambda:InvokeFunctionUrl");
    assert.equal(resources[`${name}InvokePermission`]!.Properties.Action, "lambda:InvokeFunction");
    assert.equal(resources[`${name}InvokePermission`]!.Properties.InvokedViaFunctionUrl, true);
  }
  assert.equal(resources["SleepUrl"], undefined);
  assert.equal(resources["SleepPermission"]!.Properties.Principal, "events.amazonaws.com");
  assert.equal(resources["SleepRule"]!.Properties.ScheduleExpression, "rate(5 minutes)");
});

await cloudTest("cfn-lint finds no problems in the templates", async (bin) => {
  const files = ["template.yaml", "bootstrap.yaml"].map((file) => new URL(file, FOLDER).pathname);
  const command = new Deno.Command(`${bin}/cfn-lint`, {
    args: ["--regions", "eu-central-1", "us-east-1", "--", ...files],
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  assert.equal(code, 0, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
});
