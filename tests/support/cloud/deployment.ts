import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { ClusterNotFoundException, DescribeServicesCommand, ECSClient } from "@aws-sdk/client-ecs";
import { DescribeParametersCommand, GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { initCertificates } from "../../../agent/certs/init.ts";
import { signIn } from "../../../scripts/deploy/aws.ts";
import type { DeployContext, DeployOptions } from "../../../scripts/deploy/plan.ts";
import { inEnvironment, Moto } from "./moto.ts";

/** An image that is never pulled. */
export const IMAGE = "registry.example/sallyport-server:1";

/** A folder with certificates, an account of the emulator, and what the commands printed. */
export async function deployment(bin: string) {
  const moto = await Moto.start(bin);
  const environment = inEnvironment(moto.env);
  const dir = await Deno.makeTempDir({ prefix: "sallyport_deploy_" });
  await initCertificates({ dir: `${dir}/certs` });
  const printed: string[] = [];
  const options: DeployOptions = {
    name: "tunnel",
    certs: `${dir}/certs`,
    withoutCrl: false,
    clientsAllow: undefined,
    agentFile: `${dir}/agent.yaml`,
    image: IMAGE,
    arch: "arm64",
    listenPort: 443,
    servers: 1,
    idleAfter: "15m",
    reservedConcurrency: undefined,
    network: undefined,
    budget: undefined,
    dryRun: false,
  };
  const context: DeployContext = {
    print: (line) => void printed.push(line),
    confirm: () => true,
    signIn: () => signIn({}),
    packageLambdas: () => Promise.resolve(packages),
    poll: 10,
  };
  const functions = {
    wake: `${dir}/wake.zip`,
    query: `${dir}/query.zip`,
    sleep: `${dir}/sleep.zip`,
    kill: `${dir}/kill.zip`,
  };
  const packages = { layer: `${dir}/layer.zip`, functions };
  for (const path of [packages.layer, ...Object.values(functions)]) await Deno.writeTextFile(path, path);
  return {
    dir,
    printed,
    options,
    context,
    packages,
    moto,
    async [Symbol.asyncDispose]() {
      environment[Symbol.dispose]();
      await moto[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** Values of all parameters, by name. */
export async function parameters(): Promise<Record<string, string>> {
  const ssm = new SSMClient({});
  const { Parameters = [] } = await ssm.send(new DescribeParametersCommand({}));
  const entries = await Promise.all(Parameters.map(async ({ Name = "" }) => {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
    return [Name, Parameter?.Value ?? ""] as const;
  }));
  return Object.fromEntries(entries);
}

/** The ECS service of the servers; undefined if it does not exist. */
export async function service() {
  const command = new DescribeServicesCommand({ cluster: "tunnel", services: ["tunnel-server"] });
  try {
    return (await new ECSClient({}).send(command)).services?.[0];
  } catch (error) {
    if (error instanceof ClusterNotFoundException) return undefined;
    throw error;
  }
}

/** The current parameters of the stack, by name. */
export async function stackParameters(): Promise<Record<string, string>> {
  const command = new DescribeStacksCommand({ StackName: "tunnel" });
  const { Stacks = [] } = await new CloudFormationClient({}).send(command);
  const found = Stacks[0]?.Parameters ?? [];
  return Object.fromEntries(found.map(({ ParameterKey, ParameterValue }) => [ParameterKey, ParameterValue]));
}
