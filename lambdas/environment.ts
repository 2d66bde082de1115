import { z } from "zod";
import { METRIC_NAMESPACE } from "../shared/cloud/metric_names.ts";
import { parseClientEntries } from "../shared/clients/field.ts";
import { SallyportError } from "../shared/errors.ts";
import { parseDuration } from "../shared/config/duration.ts";
import { Fleet } from "./aws/fleet.ts";

const DURATION = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  context.addIssue({
    code: "custom",
    message: `expected a duration such as "15m", current value is "${text}"`,
  });
  return z.NEVER;
});

const CLIENTS = z.string().transform((text, context) => {
  try {
    return parseClientEntries(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: SallyportError.from(error).message });
    return z.NEVER;
  }
});

/** Every variable that a function may read; the template sets them. */
const VARIABLES = {
  /** Name of the ECS cluster. */
  SALLYPORT_CLUSTER: z.string().min(1),
  /** Name of the ECS service. */
  SALLYPORT_SERVICE: z.string().min(1),
  /** How many servers Wake starts. */
  SALLYPORT_SERVERS: z.coerce.number().int().min(1).max(50).default(1),
  /** Port of the servers. */
  SALLYPORT_LISTEN_PORT: z.coerce.number().int().min(1).max(65_535).default(8443),
  /** The private CA, PEM. */
  SALLYPORT_CA_CERT_PEM: z.string().min(1),
  /** Name of the parameter with the CA's revocation list, PEM; "" for no list. */
  SALLYPORT_CRL_PARAMETER: z.string().default(""),
  /** The server's `clients.allow`, in the same form; "" allows every client of the CA. */
  SALLYPORT_CLIENTS__ALLOW: CLIENTS.default([]),
  /** The servers' `metrics_namespace`. */
  SALLYPORT_METRICS_NAMESPACE: z.string().min(1).default(METRIC_NAMESPACE),
  /** The servers' `metrics_name`. */
  SALLYPORT_METRICS_NAME: z.string().min(1).default("sallyport"),
  /** The servers' `metrics_interval`. */
  SALLYPORT_METRICS_INTERVAL: DURATION.default(60_000),
  /** How long servers must be idle before they are stopped; also the shortest time that they run. */
  SALLYPORT_IDLE_AFTER: DURATION.default(900_000),
  /** How late figures may show up in CloudWatch. */
  SALLYPORT_METRICS_DELAY: DURATION.default(120_000),
};

type Variables = typeof VARIABLES;

/**
 * Reads variables of the environment.
 *
 * @throws {Error} With every variable that is missing or invalid.
 */
export function readEnvironment<K extends keyof Variables>(
  ...names: readonly K[]
): { readonly [N in K]: z.output<Variables[N]> } {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const name of names) {
    const read = VARIABLES[name].safeParse(Deno.env.get(name));
    if (read.success) values[name] = read.data;
    else problems.push(`${name}: ${read.error.issues.map(({ message }) => message).join(", ")}`);
  }
  if (problems.length > 0) throw new Error(`Cannot use the environment: ${problems.join("; ")}`);
  return values as { readonly [N in K]: z.output<Variables[N]> };
}

/**
 * The fleet of the environment.
 *
 * @throws {Error} With every variable that is missing or invalid.
 */
export function fleetFromEnvironment(): Fleet {
  const { SALLYPORT_CLUSTER: cluster, SALLYPORT_SERVICE: service, SALLYPORT_LISTEN_PORT: port } =
    readEnvironment("SALLYPORT_CLUSTER", "SALLYPORT_SERVICE", "SALLYPORT_LISTEN_PORT");
  return new Fleet({ cluster, service, port });
}
