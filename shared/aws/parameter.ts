import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { CLIENT_OPTIONS } from "./client_options.ts";
import { cloudErrorOf } from "./cloud_error.ts";

let client: SSMClient | undefined;

/**
 * Reads a parameter of the Systems Manager, decrypted.
 *
 * @throws {CloudError} `service_missing` when it does not exist.
 */
export async function readParameter(name: string, abortSignal: AbortSignal): Promise<string> {
  client ??= new SSMClient(CLIENT_OPTIONS);
  try {
    const command = new GetParameterCommand({ Name: name, WithDecryption: true });
    const { Parameter } = await client.send(command, { abortSignal });
    return Parameter?.Value ?? "";
  } catch (error) {
    throw cloudErrorOf(error, `read the parameter ${name}`);
  }
}
