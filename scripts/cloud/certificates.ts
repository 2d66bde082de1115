import {
  DeleteParameterCommand,
  GetParameterCommand,
  ParameterNotFound,
  PutParameterCommand,
  type SSMClient,
} from "@aws-sdk/client-ssm";
import type { Names } from "./names.ts";
import type { Say } from "./say.ts";
import { loadIdentity } from "../../shared/tls/identity.ts";
import { findFault } from "../../shared/tls/trust.ts";

/** What of the folder with certificates goes to AWS: nothing else is even read. */
export interface ServerFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  /** The CA's revocation list; undefined when the folder has none. */
  readonly crl: string | undefined;
}

/** Characters that a parameter holds at the most. */
const MAX_PARAMETER = 8_192;

/**
 * Reads what the server needs and makes sure that it fits together.
 *
 * @param folder As `certs init` makes it.
 * @throws {Error} That names the file that is missing or wrong.
 */
export async function readServerFiles(folder: string): Promise<ServerFiles> {
  const paths = { cert: `${folder}/server.crt`, key: `${folder}/server.key`, ca: `${folder}/ca.crt` };
  const crlPath = `${folder}/crl.pem`;
  const crl = await Deno.readTextFile(crlPath).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  const identity = await loadIdentity({
    cert: { file: paths.cert },
    key: { file: paths.key },
    ca: { file: paths.ca },
    ...(crl === undefined ? {} : { crl: { file: crlPath } }),
  }, "serverAuth");
  // The functions have no TLS that would check what they cannot.
  const fault = findFault({ ...identity, usage: "serverAuth" });
  if (fault !== undefined) {
    throw new Error(`Cannot use ${paths.cert} with the functions of the cloud: it ${fault.text}`);
  }
  const [certificate, key, ca] = await Promise.all(
    [paths.cert, paths.key, paths.ca].map((path) => Deno.readTextFile(path)),
  );
  return { certificate: certificate!, key: key!, ca: ca!, crl };
}

/** Puts the server's files into parameters; those that hold the same already are left alone. */
export async function uploadCertificates(
  ssm: SSMClient,
  { parameters }: Names,
  files: ServerFiles,
  say: Say,
): Promise<void> {
  await put(ssm, parameters.certificate, files.certificate, "SecureString", say);
  await put(ssm, parameters.key, files.key, "SecureString", say);
  await put(ssm, parameters.ca, files.ca, "String", say);
  if (files.crl !== undefined) await put(ssm, parameters.crl, files.crl, "String", say);
}

/** Removes the parameters. */
export async function removeCertificates(ssm: SSMClient, { parameters }: Names, say: Say): Promise<void> {
  for (const Name of Object.values(parameters)) {
    try {
      await ssm.send(new DeleteParameterCommand({ Name }));
      say(`parameter ${Name}: removed`);
    } catch (error) {
      if (!(error instanceof ParameterNotFound)) throw error;
    }
  }
}

async function put(
  ssm: SSMClient,
  Name: string,
  Value: string,
  Type: "String" | "SecureString",
  say: Say,
): Promise<void> {
  if (Value.length > MAX_PARAMETER) {
    throw new Error(
      `Cannot upload ${Name}: it has ${Value.length} characters, and a parameter holds ${MAX_PARAMETER}`,
    );
  }
  if (await valueOf(ssm, Name) === Value) return say(`parameter ${Name}: unchanged`);
  // Beyond 4096 characters a parameter is billed, and this tier is it by itself.
  await ssm.send(
    new PutParameterCommand({ Name, Value, Type, Overwrite: true, Tier: "Intelligent-Tiering" }),
  );
  say(`parameter ${Name}: written`);
}

async function valueOf(ssm: SSMClient, Name: string): Promise<string | undefined> {
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
    return Parameter?.Value;
  } catch (error) {
    if (error instanceof ParameterNotFound) return undefined;
    throw error;
  }
}
