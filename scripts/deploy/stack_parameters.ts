import type { Parameter, Stack } from "@aws-sdk/client-cloudformation";
import { parseClientEntries } from "../../shared/clients/field.ts";
import type { ServerFiles } from "./certificates.ts";
import type { Names } from "./names.ts";
import type { DeployOptions } from "./plan.ts";

/** Parameters that keep their value from an earlier deployment, or from a manual change. */
const KEPT = ["ReservedConcurrency", "LogRetentionDays", "ClientsAllow"] as const;

/**
 * The parameters of template.yaml.
 *
 * @param code Parameters for the image and the code.
 * @param before The stack to update; undefined when it is created. CloudFormation resets a missing parameter to its
 * default instead of keeping its value, so that kept values have to be repeated.
 * @throws {Error} When the client rules are invalid, or too large for the functions.
 */
export function stackParameters(
  options: DeployOptions,
  { parameters }: Names,
  { ca, crl }: ServerFiles,
  code: Readonly<Record<string, string>>,
  before: Stack | undefined,
): Parameter[] {
  const { name, arch, listenPort, servers, idleAfter, network, budget, reservedConcurrency, clientsAllow } =
    options;
  const values: Record<string, string> = {
    ...keptOf(before),
    Name: name,
    Architecture: arch,
    ListenPort: String(listenPort),
    Servers: String(servers),
    IdleAfter: idleAfter,
    IsNew: String(before === undefined),
    VpcId: network?.vpc ?? "",
    SubnetIds: network?.subnets.join(",") ?? "",
    CertificateParameter: parameters.certificate,
    KeyParameter: parameters.key,
    CaParameter: parameters.ca,
    CrlParameter: crl === undefined ? "" : parameters.crl,
    CaCertificate: ca,
    BudgetAmount: String(budget?.amount ?? 5),
    BudgetEmail: budget?.email ?? "",
    ...reservedConcurrency === undefined ? {} : { ReservedConcurrency: String(reservedConcurrency) },
    ...clientsAllow === undefined ? {} : { ClientsAllow: clientsAllow.trim() },
    ...code,
  };
  // Kept rules may be too large next to a CA that grew.
  requireUsableRules(values["ClientsAllow"] ?? "", ca);
  return Object.entries(values).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
}

function keptOf(before: Stack | undefined): Record<string, string> {
  const found = before?.Parameters ?? [];
  return Object.fromEntries(KEPT.flatMap((key) => {
    const value = found.find(({ ParameterKey }) => ParameterKey === key)?.ParameterValue;
    return value === undefined ? [] : [[key, value]];
  }));
}

/** Maximum size of the variables of a function in bytes, names and values. */
const MAX_VARIABLES = 4_096;
/** Bytes of the variables besides CA and rules: names of variables, and values of at most 31 characters. */
const OTHER_VARIABLES = 400;

/**
 * Makes sure that server and functions can use the client rules, before anything is changed.
 *
 * @param rules `clients.allow`, in the form of `SALLYPORT_CLIENTS__ALLOW`.
 * @param ca The CA's certificate, PEM, which counts towards the same limit.
 * @throws {Error} With the problem of the rules.
 */
export function requireUsableRules(rules: string, ca: string): void {
  const entries = parseClientEntries(rules);
  if (rules.trim() !== "" && entries.length === 0) {
    throw new Error(
      `Cannot deploy the client rules ${rules.trim()}: an empty list allows every client of the CA; pass ` +
        '--clients-allow "" if that is intended',
    );
  }
  const size = (text: string) => new TextEncoder().encode(text).byteLength;
  const room = MAX_VARIABLES - OTHER_VARIABLES - size(ca);
  if (rules === "" || size(rules) <= room) return;
  throw new Error(
    `Cannot deploy the client rules: they have ${
      size(rules)
    } bytes, and next to ca.crt the functions have room for ` +
      `${Math.max(0, room)}; use fewer patterns with "*", or give these clients a CA of their own`,
  );
}
