import type { Parameter, Stack } from "@aws-sdk/client-cloudformation";
import type { ServerFiles } from "./certificates.ts";
import type { DeployOptions } from "./deploy.ts";
import { requireUsableRules } from "./client_rules.ts";
import type { Names } from "./names.ts";

/** Parameters that somebody may have set by hand, or by an option of an earlier deployment, and that stay. */
const KEPT = ["ReservedConcurrency", "LogRetentionDays", "ClientsAllow"] as const;

/**
 * The parameters of template.yaml.
 *
 * @param code Those that name the image and the code.
 * @param before The stack that is changed: CloudFormation takes a parameter that is left out as its default, and not
 * as what it was, so that what stays has to be said again. Undefined where a stack is made.
 * @throws {Error} When the client rules cannot be read, or are too large for the functions.
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
  // Rules that stay may be too many beside a CA that grew.
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
