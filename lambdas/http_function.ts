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
import { type Caller, Gatekeeper, NotTaken, Refused } from "./caller.ts";
import type { Handler } from "./invocation.ts";
import { RefusedCalls } from "./refused_calls.ts";
import type { TrustKeeper } from "./trust.ts";

/** The event of a Function URL, as far as it is needed (payload format 2.0). */
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
  /** The one method that it takes. */
  readonly method: "GET" | "POST";
  /** Whom to believe. */
  readonly trust: Pick<TrustKeeper, "authorities" | "revocation" | "ended">;
  readonly clock: Clock;
  readonly log: Logger;
  /** `clients.allow`, as the server has it. @default {every client of the CA} */
  readonly mayCall?: FindEntry;
  /** Calls let in within two minutes, over all clients; one client alone may make half. @default {10000} */
  readonly maxCalls?: number;
  /** Does what was asked for; called once the caller is known. */
  act(signal: AbortSignal, caller: Caller): Promise<FleetStatus>;
}

/** Seconds after which it makes sense to ask again. */
const RETRY_AFTER_S = "5";
/** The same for a client that has used up its share of calls; it gets room as its calls age. */
const TOO_MANY_RETRY_AFTER_S = "60";

/** Makes a handler for a Function URL: it judges the caller first, and tells strangers nothing. */
export function httpFunction(init: HttpFunctionInit): Handler {
  const { action, clock, log } = init;
  const gatekeeper = new Gatekeeper(clock, init.mayCall, init.maxCalls);
  const refusedCalls = new RefusedCalls(clock, log);
  const { trust } = init;
  return async (event, { awsRequestId, signal }) => {
    const fields = { action, request: awsRequestId };
    const read = HTTP_EVENT.safeParse(event);
    if (!read.success) {
      throw new Error(`Cannot answer: this is no request to a Function URL, ${read.error.message}`);
    }
    const { rawPath, headers, requestContext: { domainName, http: { method } } } = read.data;
    const authorization = headers["authorization"];
    const call = {
      action,
      authorization,
      method,
      host: domainName.toLowerCase(),
      path: rawPath,
      takes: init.method,
    };
    let caller: Caller;
    try {
      const { authorities } = trust;
      caller = await gatekeeper.admit(call, { authorities, revocation: () => trust.revocation(signal) });
    } catch (error) {
      if (error instanceof Refused) {
        refusedCalls.add({ ...fields, reason: error.message });
        return answer(401);
      }
      if (error instanceof NotTaken) return notTaken(error, init, fields);
      log.error("caller not judged", { ...fields, reason: String(error) });
      return answer(503, undefined, { "retry-after": RETRY_AFTER_S });
    }
    try {
      const ended = trust.ended();
      if (ended !== undefined) throw new CloudError("crl_ended", `Cannot ${action}: ${ended}`);
      return await serve(init, signal, caller);
    } catch (error) {
      return failed(error, log, { ...fields, client: caller.commonName, serial: caller.serial });
    }
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

function notTaken(
  { why, message }: NotTaken,
  { method, log }: HttpFunctionInit,
  fields: Record<string, string>,
): HttpAnswer {
  log.warn("call not taken", { ...fields, reason: message });
  if (why === "method") return answer(405, undefined, { allow: method });
  const body: FleetFailure = { error: { code: "throttled", message } };
  return answer(FLEET_FAILURES.throttled, body, { "retry-after": TOO_MANY_RETRY_AFTER_S });
}

function failed(error: unknown, log: Logger, fields: Record<string, string>): HttpAnswer {
  const code: FleetFailureCode = error instanceof CloudError ? error.code : "cloud_error";
  const message = error instanceof Error ? error.message : String(error);
  // That servers are in use is an answer, and no fault.
  if (code === "in_use") log.info("call answered", { ...fields, code, reason: message });
  else log.error("call failed", { ...fields, code, reason: message });
  const mayPass = code === "throttled" || code === "unavailable";
  const body: FleetFailure = { error: { code, message } };
  return answer(FLEET_FAILURES[code], body, mayPass ? { "retry-after": RETRY_AFTER_S } : {});
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
