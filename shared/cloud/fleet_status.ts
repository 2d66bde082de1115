import { z } from "zod";
import { SallyportError } from "../errors.ts";

/** The JSON body of a successful answer of wake, query and kill. */
export interface FleetStatus {
  /** `stopped`: none desired. `starting`: desired, but none reachable yet. `running`: `servers` has at least one. */
  readonly state: "stopped" | "starting" | "running";
  /** Servers that are running and not stopping. */
  readonly servers: readonly FleetServer[];
  /** Why desired servers do not start, if the cloud gives a reason; for people. */
  readonly problem?: string | undefined;
}

/** A server that agents can connect to. */
export interface FleetServer {
  readonly ip: string;
  readonly port: number;
}

/** The JSON body of an error; 401 has none. */
export interface FleetFailure {
  readonly error: { readonly code: FleetFailureCode; readonly message: string };
}

/**
 * Why wake, query or kill failed, each with its HTTP status. `throttled` (429) and `unavailable` (503) are temporary,
 * with `Retry-After` in seconds. `service_missing` (404), `not_allowed` (500), `cloud_error` (502) and `crl_ended`
 * (500: a revocation list has expired, and no server starts with it) have to be fixed.
 * `in_use` (409): Kill changed nothing, since other agents use the servers; the message has their number.
 */
export const FLEET_FAILURES = {
  throttled: 429,
  unavailable: 503,
  in_use: 409,
  service_missing: 404,
  not_allowed: 500,
  crl_ended: 500,
  cloud_error: 502,
} as const;

/** One of {@linkcode FLEET_FAILURES}. */
export type FleetFailureCode = keyof typeof FLEET_FAILURES;

const STATUS = z.object({
  state: z.enum(["stopped", "starting", "running"]),
  servers: z.array(z.object({
    ip: z.union([z.ipv4(), z.ipv6()]),
    port: z.int().min(1).max(65_535),
  })).max(64),
  problem: z.string().max(1_000).optional(),
});

/**
 * Reads the body of an answer.
 * @throws {SallyportError} `bad_request` for anything else, such as the answer of another program.
 */
export function parseFleetStatus(body: string): FleetStatus {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new SallyportError("bad_request", "Cannot read the fleet status: not JSON", { cause });
  }
  const read = STATUS.safeParse(json);
  if (read.success) return read.data;
  throw new SallyportError("bad_request", `Cannot read the fleet status: ${z.prettifyError(read.error)}`);
}
