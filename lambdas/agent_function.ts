import { readParameter } from "../shared/aws/parameter.ts";
import type { Action } from "../shared/cloud/call.ts";
import type { FleetStatus } from "../shared/cloud/fleet_status.ts";
import { getLogger } from "../shared/log.ts";
import { systemClock } from "../shared/system_clock.ts";
import { createClientRules } from "../shared/clients/rules.ts";
import type { Caller } from "./access/call_verifier.ts";
import { readEnvironment } from "./environment.ts";
import { httpFunction } from "./http_function.ts";
import type { Handler } from "./handler.ts";
import { TrustStore } from "./access/trust_store.ts";

/** What makes the handler of a function that agents call. */
export interface AgentFunctionInit {
  readonly action: Action;
  /** The only method that it accepts. */
  readonly method: "GET" | "POST";
  act(signal: AbortSignal, caller: Caller): Promise<FleetStatus>;
}

/**
 * Makes the handler of a function that agents call, with the CA, the revocation list and the client rules of the
 * environment.
 *
 * @throws {Error} With every variable that is missing or invalid.
 */
export function agentFunction(init: AgentFunctionInit): Handler {
  const {
    SALLYPORT_CA_CERT_PEM: caPem,
    SALLYPORT_CRL_PARAMETER: crl,
    SALLYPORT_CLIENTS__ALLOW: clients,
  } = readEnvironment("SALLYPORT_CA_CERT_PEM", "SALLYPORT_CRL_PARAMETER", "SALLYPORT_CLIENTS__ALLOW");
  const log = getLogger(init.action);
  const trust = new TrustStore({
    caPem,
    crl: crl === "" ? undefined : { parameter: crl, read: (signal) => readParameter(crl, signal) },
    clock: systemClock,
    log,
  });
  return httpFunction({
    ...init,
    trust,
    findEntry: createClientRules(clients),
    clock: systemClock,
    log,
  });
}
