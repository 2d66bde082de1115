import { parse, stringify } from "yaml";
import { issueCertificate } from "../../../agent/certs/issue.ts";
import type { Chain, Keys } from "./chain.ts";
import { type Program, startProgram } from "./programs.ts";

/** A second agent of a chain, with its own certificate. */
export interface SecondAgent extends AsyncDisposable {
  readonly agent: Program;
  readonly proxyPort: number;
  /** The proxy as clients name it. */
  readonly proxyUrl: string;
}

/** Starts a second agent of a chain whose first one was started before; returns when it listens. */
export async function startSecondAgent(chain: Chain, name = "other"): Promise<SecondAgent> {
  await issueCertificate({ dir: `${chain.dir}/certs`, name });
  const keys: Keys = parse(await Deno.readTextFile(`${chain.dir}/agent.yaml`));
  const own = { cert_file: `certs/${name}.crt`, key_file: `certs/${name}.key` };
  const file = `${chain.dir}/${name}.yaml`;
  await Deno.writeTextFile(file, stringify({ ...keys, ...own }));
  const agent = await startProgram("agent", ["--config", file]);
  const { fields } = await agent.log.waitFor("proxy listening");
  const proxyPort = Number(fields["port"]);
  return {
    agent,
    proxyPort,
    proxyUrl: `http://127.0.0.1:${proxyPort}`,
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  };
}
