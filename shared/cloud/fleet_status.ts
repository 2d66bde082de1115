import { z } from "zod";
import { SallyportError } from "../errors.ts";

/** The JSON body with which wake, query and kill answer when they could do what was asked. */
export interface FleetStatus {
  /** `stopped`: none is wanted. `starting`: wanted, and none can be reached yet. `running`: `servers` has one. */
  readonly state: "stopped" | "starting" | "running";
  /** Servers that are running and not stopping. */
  readonly servers: readonly FleetServer[];
  /** Why servers that are wanted do not start, where the cloud tells; for a person to read. */
  readonly problem?: string | undefined;
}

/** A server that agents can connect to. */
export interface FleetServer {
  readonly ip: string;
  readonly port: number;
}

/** The JSON body of an answer with an error status; 401 has none. */
export interface FleetFailure {
  readonly error: { readonly code: FleetFailureCode; readonly message: string };
}

/**
 * Why wake, query or kill failed, each with its HTTP status. `throttled` (429) and `unavailable` (503) pass, with
 * `Retry-After` in seconds; `service_missing` (404), `not_allowed` (500) and `cloud_error` (502) have to be mended,
 * and so has `crl_ended` (500): a revocation list has ended, and no server starts with it.
 * `in_use` (409): Kill changed nothing, since other agents use the servers; the message has how many.
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
 * @throws {SallyportError} `bad_request` when it is not one, as an answer of some other program would be.
 */
export function parseFleetStatus(body: string): FleetStatus {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new SallyportError("bad_request", "Cannot read the fleet's status: it is not JSON", { cause });
  }
  const read = STATUS.safeParse(json);
  if (read.success) return read.data;
  throw new SallyportError("bad_request", `Cannot read the fleet's status: ${z.prettifyError(read.error)}`);
}
