/**
 * Reads a parameter from AWS and prints it, with the permissions of the program that it stands for.
 * `read_parameter.ts shared` calls AWS as agent, server and functions do, `read_parameter.ts own` as deployments do.
 */
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { readParameter } from "../../../shared/aws/parameter.ts";

const NAME = "/test/parameter";

async function read(how: string | undefined): Promise<string | undefined> {
  if (how === "shared") return await readParameter(NAME, AbortSignal.timeout(10_000));
  const { Parameter } = await new SSMClient({}).send(new GetParameterCommand({ Name: NAME }));
  return Parameter?.Value;
}

Deno.stdout.writeSync(new TextEncoder().encode(await read(Deno.args[0])));
