import { z } from "zod";
import type { Clock } from "../shared/clock.ts";
import type { Action } from "../shared/cloud/call.ts";
import {
  FLEET_FAILURES,
  type FleetFailure,
  type FleetFailureCode,
  type FleetStatus,
} from "../shared/cloud/fleet_status.ts";
import { CloudError } from "../shared/aws/cloud_error.ts";
import type { Logger } from "../shared/log.ts";
import type { FindEntry } from "../shared/clients/rules.ts";
import {
  AuthenticationError,
  type Call,
  type Caller,
  CallVerifier,
  RequestError,
} from "./access/call_verifier.ts";
import type { Handler } from "./handler.ts";
import { RefusalLog } from "./access/refusal_log.ts";
import type { TrustStore } from "./access/trust_store.ts";

/** The parts of a Function URL event that are used (payload format 2.0). */
const HTTP_EVENT = z.object({
  rawPath: z.string(),
  headers: z.record(z.string(), z.string().optional()),
  requestContext: z.object({ domainName: z.string(), http: z.object({ method: z.string() }) }),
});

/** The answer of a Function URL (payload format 2.0). */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly isBase64Encoded: false;
  readonly body: string;
}

/** What makes a function that agents call. */
export interface HttpFunctionInit {
  readonly action: Action;
  /** The only method that it accepts. */
  readonly method: "GET" | "POST";
  /** What callers are checked against. */
  readonly trust: Pick<TrustStore, "authorities" | "revocation" | "expiredReason">;
  readonly clock: Clock;
  readonly log: Logger;
  /** The rules of `clients.allow`, as on the server. @default {every client of the CA} */
  readonly findEntry?: FindEntry;
  /** Accepted calls within two minutes, over all clients; a single client may make half. @default {10000} */
  readonly maxCalls?: number;
  /** Performs the action for an authenticated caller. */
  act(signal: AbortSignal, caller: Caller): Promise<FleetStatus>;
}

/** Seconds after which a retry makes sense. */
const RETRY_AFTER_S = "5";
/** The same for a client that has used up its share of calls; it may call again as its calls age. */
const TOO_MANY_RETRY_AFTER_S = "60";

/** Makes a handler for a Function URL. It authenticates the caller first, and reveals nothing to anyone else. */
export function httpFunction(init: HttpFunctionInit): Handler {
  const { action, clock, log, trust } = init;
  const verifier = new CallVerifier(clock, init.findEntry, init.maxCalls);
  const refusals = new RefusalLog(clock, log);
  return async (event, { awsRequestId, signal }) => {
    const fields = { action, request: awsRequestId };
    const call = callOf(event, init);
    let caller: Caller;
    try {
      const { authorities } = trust;
      caller = await verifier.verify(call, { authorities, revocation: () => trust.revocation(signal) });
    } catch (error) {
      if (error instanceof AuthenticationError || error instanceof RequestError) {
        refusals.add(error, fields);
        return refusalAnswer(error, init.method);
      }
      log.error("call not verified", { ...fields, error: String(error) });
      return answer(503, undefined, { "retry-after": RETRY_AFTER_S });
    }
    try {
      const expired = trust.expiredReason();
      if (expired !== undefined) throw new CloudError("crl_ended", `Cannot ${action}: ${expired}`);
      return await serve(init, signal, caller);
    } catch (error) {
      return errorAnswer(error, log, { ...fields, client: caller.commonName, serial: caller.serial });
    }
  };
}

/** @throws {Error} When the event is not a request to a Function URL. */
function callOf(event: unknown, { action, method: accepts }: HttpFunctionInit): Call {
  const read = HTTP_EVENT.safeParse(event);
  if (!read.success) {
    throw new Error(`Cannot answer: the event is not a request to a Function URL: ${read.error.message}`);
  }
  const { rawPath: path, headers, requestContext: { domainName, http: { method } } } = read.data;
  return {
    action,
    authorization: headers["authorization"],
    method,
    host: domainName.toLowerCase(),
    path,
    accepts,
  };
}

async function serve(
  { action, log, act }: HttpFunctionInit,
  signal: AbortSignal,
  caller: Caller,
): Promise<HttpAnswer> {
  const status = await act(signal, caller);
  const { commonName: client, serial } = caller;
  const { state, servers: { length: servers }, problem } = status;
  log.info("call answered", { action, client, serial, state, servers, problem });
  return answer(200, status);
}

function refusalAnswer(error: AuthenticationError | RequestError, method: string): HttpAnswer {
  if (error instanceof AuthenticationError) return answer(401);
  if (error.kind === "method") return answer(405, undefined, { allow: method });
  const body: FleetFailure = { error: { code: "throttled", message: error.message } };
  return answer(FLEET_FAILURES.throttled, body, { "retry-after": TOO_MANY_RETRY_AFTER_S });
}

function errorAnswer(error: unknown, log: Logger, fields: Record<string, string>): HttpAnswer {
  const code: FleetFailureCode = error instanceof CloudError ? error.code : "cloud_error";
  const message = error instanceof Error ? error.message : String(error);
  // Servers in use are a regular answer, not an error of the function.
  if (code === "in_use") log.info("call answered", { ...fields, code, reason: message });
  else log.error("call failed", { ...fields, code, error: message });
  const isTemporary = code === "throttled" || code === "unavailable";
  const body: FleetFailure = { error: { code, message } };
  return answer(FLEET_FAILURES[code], body, isTemporary ? { "retry-after": RETRY_AFTER_S } : {});
}

function answer(
  statusCode: number,
  body?: FleetStatus | FleetFailure,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const type = body === undefined ? {} : { "content-type": "application/json" };
  return {
    statusCode,
    headers: { "cache-control": "no-store", ...type, ...headers },
    cookies: [],
    isBase64Encoded: false,
    body: body === undefined ? "" : JSON.stringify(body),
  };
}
