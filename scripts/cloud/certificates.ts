import {
  DeleteParameterCommand,
  GetParameterCommand,
  ParameterNotFound,
  PutParameterCommand,
  type SSMClient,
} from "@aws-sdk/client-ssm";
import { allSteps } from "./all_steps.ts";
import { findStepBack } from "./list_order.ts";
import type { Names } from "./names.ts";
import type { Say } from "./say.ts";
import { SallyportError } from "../../shared/errors.ts";
import { loadIdentity } from "../../shared/tls/identity.ts";
import { unaidedAuthorityFault } from "../../shared/tls/unaided.ts";

/** What of the folder with certificates goes to AWS: nothing else is even read. */
export interface ServerFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  /** The CA's revocation list, and when it ends; undefined when the folder has none. */
  readonly crl: { readonly text: string; readonly end: Date } | undefined;
}

/** Bytes that a parameter of the Systems Manager holds at the most. */
const MAX_PARAMETER = 8_192;
/** Bytes of the CA: the variables of a function take 4,096 in all, and so does a parameter of a stack. */
const MAX_CA = 3_500;
/** Of each file how many bytes AWS takes, and what to do about more. */
const SIZES = {
  "server.crt": [MAX_PARAMETER, "leave out the root, and all that is not a certificate"],
  "server.key": [MAX_PARAMETER, "leave out all that is not the key"],
  "ca.crt": [MAX_CA, "leave out all that is not a certificate, and CAs that nobody needs now"],
  "crl.pem": [MAX_PARAMETER, "a new CA begins with an empty list"],
} as const;
const DAY_MS = 86_400_000;
/** Days before the end of a revocation list in which a deployment warns of it. */
const SOON_DAYS = 14;

/**
 * Reads what the server needs and makes sure that it fits together.
 *
 * @param folder As `certs init` makes it.
 * @param withCrl Whether the revocation list goes along.
 * @throws {Error} That names the file that is missing or wrong.
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
      `Cannot deploy ${folder}/${file}: it has ${size} bytes, and at most ${max} can be; ${remedy}`,
    );
  }
  return { certificate, key, ca, crl };
}

/** Makes sure that the files fit together; returns when the revocation list ends, where one goes along. */
async function check(folder: string, withCrl: boolean): Promise<Date | undefined> {
  const cert = { file: `${folder}/server.crt` };
  const crl = { file: `${folder}/crl.pem` };
  const source = { cert, key: { file: `${folder}/server.key` }, ca: { file: `${folder}/ca.crt` } };
  const hasCrl = withCrl && await exists(crl.file);
  const identity = await loadIdentity(hasCrl ? { ...source, crl } : source, "serverAuth").catch((error) => {
    const { message } = SallyportError.from(error);
    // Every other message says what to do already.
    throw /it ran out/.test(message) ? new Error(`${message}: ${renewal(folder)}`, { cause: error }) : error;
  });
  // The functions have no TLS that would check what they cannot: with such CAs alone they would let no agent in.
  const faults = identity.authorities.map(unaidedAuthorityFault);
  const [fault] = faults;
  if (fault === undefined || faults.includes(undefined)) return identity.revocation?.nextUpdate;
  throw new Error(
    `Cannot use ${source.ca.file} with the functions of the cloud: what it issued ${fault.text}`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Says when the revocation list ends, with a warning when that is soon. */
export function tellListEnd(folder: string, { crl }: ServerFiles, now: number, say: Say): void {
  if (crl === undefined) return;
  const days = Math.floor((crl.end.getTime() - now) / DAY_MS);
  say(`  revocation list: the next one is due in ${days} days, at ${crl.end.toISOString()}`);
  if (days < SOON_DAYS) say(`  warning: that is soon: ${renewal(folder)}`);
}

function renewal(folder: string): string {
  return `sign it anew with "deno task certs crl --dir ${folder}" and deploy again`;
}

/**
 * Makes sure that no certificate that is revoked now is let in again by oversight: the folder needs a list where one
 * is in force, and it must be that list or a newer one with all its entries.
 *
 * @param rules `allowsOlder`: the operator asked for the folder's list, whatever is in force. @default false
 * @throws {Error} That says what is wrong with the folder's list, and the option that deploys it all the same.
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
        "the certificates it names would be let in again. Bring the file, or say --without-crl",
    );
  }
  if (allowsOlder) return;
  const problem = stepBack(inForce, crl.text, ca);
  if (problem === undefined) return;
  throw new Error(
    `Cannot deploy ${folder}/crl.pem: ${problem} (parameter ${parameters.crl}). Revoked certificates could be ` +
      "let in again. Bring the newest crl.pem of the CA, or say --allow-older-crl",
  );
}

function stepBack(inForce: string, next: string, ca: string): string | undefined {
  try {
    const problem = findStepBack(inForce, next, ca);
    return problem && `it ${problem}`;
  } catch (error) {
    return `it cannot be compared with the list in force: ${SallyportError.from(error).message}`;
  }
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
  if (files.crl !== undefined) await put(ssm, parameters.crl, files.crl.text, "String", say);
}

/** Removes the parameters, the private key first. @throws {Error} That names every parameter that stays. */
export async function removeCertificates(ssm: SSMClient, { parameters }: Names, say: Say): Promise<void> {
  const names = [...new Set([parameters.key, ...Object.values(parameters)])];
  const steps = names.map((name) => () =>
    remove(ssm, name, say).catch((cause) => {
      throw new Error(`${name} stays`, { cause });
    })
  );
  await allSteps("remove every parameter", steps);
}

/** Removes the list's parameter; does nothing when there is none. */
export async function removeList(ssm: SSMClient, { parameters }: Names, say: Say): Promise<void> {
  await remove(ssm, parameters.crl, say);
}

async function remove(ssm: SSMClient, Name: string, say: Say): Promise<void> {
  try {
    await ssm.send(new DeleteParameterCommand({ Name }));
    say(`parameter ${Name}: removed`);
  } catch (error) {
    if (!(error instanceof ParameterNotFound)) throw error;
  }
}

async function put(
  ssm: SSMClient,
  Name: string,
  Value: string,
  Type: "String" | "SecureString",
  say: Say,
): Promise<void> {
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
