import { countOf } from "../../shared/text/count_of.ts";
import {
  DeleteParameterCommand,
  GetParameterCommand,
  ParameterNotFound,
  PutParameterCommand,
  type SSMClient,
} from "@aws-sdk/client-ssm";
import { type Print, runAllSteps } from "./progress.ts";
import { findRegression } from "./crl_order.ts";
import type { Names } from "./names.ts";
import { fileExists } from "../../shared/config/config_file.ts";
import { SallyportError } from "../../shared/errors.ts";
import { loadIdentity } from "../../shared/pki/identity/identity.ts";
import { standaloneAuthorityProblem } from "../../shared/pki/path_validation.ts";

/** The files that are uploaded to AWS; no others are read. */
export interface ServerFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  /** The CA's revocation list, and when it expires; undefined without one. */
  readonly crl: { readonly text: string; readonly end: Date } | undefined;
}

/** Maximum size of a parameter of the Systems Manager, in bytes. */
const MAX_PARAMETER = 8_192;
/** Maximum size of the CA in bytes: all variables of a function have 4,096, and so has a parameter of a stack. */
const MAX_CA = 3_500;
/** Maximum size of each file, and what to do about a larger one. */
const SIZES = {
  "server.crt": [MAX_PARAMETER, "remove the root, and everything that is not a certificate"],
  "server.key": [MAX_PARAMETER, "remove everything that is not the key"],
  "ca.crt": [MAX_CA, "remove everything that is not a certificate, and CAs that are no longer needed"],
  "crl.pem": [MAX_PARAMETER, "a new CA starts with an empty list"],
} as const;
const DAY_MS = 86_400_000;
/** Days before the end of a revocation list in which a deployment warns. */
const SOON_DAYS = 14;

/**
 * Reads the files of the server and makes sure that they fit together.
 *
 * @param folder Created by `certs init`.
 * @param withCrl Whether to include the revocation list.
 * @throws {Error} With the file that is missing or invalid.
 */
export async function readServerFiles(folder: string, withCrl = true): Promise<ServerFiles> {
  const end = await check(folder, withCrl);
  const read = (file: string) => Deno.readTextFile(`${folder}/${file}`);
  const [certificate, key, ca] = await Promise.all([read("server.crt"), read("server.key"), read("ca.crt")]);
  const crl = end === undefined ? undefined : { text: await read("crl.pem"), end };
  const texts = { "server.crt": certificate, "server.key": key, "ca.crt": ca, "crl.pem": crl?.text ?? "" };
  for (const [file, text] of Object.entries(texts)) {
    const [max, remedy] = SIZES[file as keyof typeof texts];
    const size = new TextEncoder().encode(text).byteLength;
    if (size <= max) continue;
    throw new Error(
      `Cannot deploy ${folder}/${file}: it has ${size} bytes, and at most ${max} are allowed; ${remedy}`,
    );
  }
  return { certificate, key, ca, crl };
}

/** Makes sure that the files fit together; returns when the revocation list expires, if it is included. */
async function check(folder: string, withCrl: boolean): Promise<Date | undefined> {
  const cert = { file: `${folder}/server.crt` };
  const crl = { file: `${folder}/crl.pem` };
  const source = { cert, key: { file: `${folder}/server.key` }, ca: { file: `${folder}/ca.crt` } };
  const hasCrl = withCrl && await fileExists(crl.file);
  const files = hasCrl ? { ...source, crl } : source;
  const identity = await loadIdentity(files, "serverAuth", { pathsFrom: "--certs" }).catch((error) => {
    const { message } = SallyportError.from(error);
    // Every other message already says what to do.
    throw /revocation list .*: it expired on/.test(message)
      ? new Error(`${message}: ${renewal(folder)}`, { cause: error })
      : error;
  });
  // The functions have no TLS that would do such checks for them: with only such CAs they would accept no agent.
  const problems = identity.authorities.map(standaloneAuthorityProblem);
  const [problem] = problems;
  if (problem === undefined || problems.includes(undefined)) return identity.revocation?.nextUpdate;
  throw new Error(
    `Cannot use ${source.ca.file} with the cloud functions: what it issued ${problem.text}`,
  );
}

/** Prints when the revocation list expires, with a warning when that is soon. */
export function printListEnd(folder: string, { crl }: ServerFiles, now: number, print: Print): void {
  if (crl === undefined) return;
  const days = Math.floor((crl.end.getTime() - now) / DAY_MS);
  print(`  revocation list: the next one is due in ${countOf(days, "day")}, at ${crl.end.toISOString()}`);
  if (days < SOON_DAYS) print(`  warning: the list expires soon: ${renewal(folder)}`);
}

function renewal(folder: string): string {
  return `sign it again with "deno task -q certs crl --dir ${folder}" and deploy again`;
}

/**
 * Makes sure that no revoked certificate is accepted again by mistake: where a list is in force, the folder must have the
 * same list or a newer one with all its entries.
 *
 * @param rules `allowsOlder`: deploy the folder's list in any case. @default false
 * @throws {Error} With the problem of the folder's list, and the option that deploys it anyway.
 */
export async function requireList(
  ssm: SSMClient,
  { parameters }: Names,
  folder: string,
  { crl, ca }: ServerFiles,
  { allowsOlder = false } = {},
): Promise<void> {
  const inForce = await valueOf(ssm, parameters.crl);
  if (inForce === undefined) return;
  if (crl === undefined) {
    throw new Error(
      `Cannot deploy without a revocation list: ${folder}/crl.pem is missing, and ${parameters.crl} holds a list; ` +
        "the certificates on it would be accepted again. Add the file, or pass --without-crl",
    );
  }
  if (allowsOlder) return;
  const problem = regressionOf(inForce, crl.text, ca);
  if (problem === undefined) return;
  throw new Error(
    `Cannot deploy ${folder}/crl.pem: ${problem} (parameter ${parameters.crl}). Revoked certificates could be ` +
      "accepted again. Use the newest crl.pem of the CA, or pass --allow-older-crl",
  );
}

function regressionOf(inForce: string, next: string, ca: string): string | undefined {
  try {
    const problem = findRegression(inForce, next, ca);
    return problem && `it ${problem}`;
  } catch (error) {
    return `it cannot be compared with the list in force: ${SallyportError.from(error).message}`;
  }
}

/** Writes the server's files into parameters, unless they already have these values. */
export async function uploadCertificates(
  ssm: SSMClient,
  { parameters }: Names,
  files: ServerFiles,
  print: Print,
): Promise<void> {
  await put(ssm, parameters.certificate, files.certificate, "SecureString", print);
  await put(ssm, parameters.key, files.key, "SecureString", print);
  await put(ssm, parameters.ca, files.ca, "String", print);
  if (files.crl !== undefined) await put(ssm, parameters.crl, files.crl.text, "String", print);
}

/** Removes the parameters, the private key first. @throws {Error} With every parameter that could not be removed. */
export async function removeCertificates(ssm: SSMClient, { parameters }: Names, print: Print): Promise<void> {
  const names = [...new Set([parameters.key, ...Object.values(parameters)])];
  const steps = names.map((name) => () =>
    remove(ssm, name, print).catch((cause) => {
      throw new Error(`${name} not removed`, { cause });
    })
  );
  await runAllSteps("remove every parameter", steps);
}

/** Removes the parameter of the revocation list, if it exists. */
export async function removeList(ssm: SSMClient, { parameters }: Names, print: Print): Promise<void> {
  await remove(ssm, parameters.crl, print);
}

async function remove(ssm: SSMClient, Name: string, print: Print): Promise<void> {
  try {
    await ssm.send(new DeleteParameterCommand({ Name }));
    print(`parameter ${Name}: removed`);
  } catch (error) {
    if (!(error instanceof ParameterNotFound)) throw error;
  }
}

async function put(
  ssm: SSMClient,
  Name: string,
  Value: string,
  Type: "String" | "SecureString",
  print: Print,
): Promise<void> {
  if (await valueOf(ssm, Name) === Value) return print(`parameter ${Name}: unchanged`);
  // This tier is billed only beyond 4096 characters.
  await ssm.send(
    new PutParameterCommand({ Name, Value, Type, Overwrite: true, Tier: "Intelligent-Tiering" }),
  );
  print(`parameter ${Name}: written`);
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
