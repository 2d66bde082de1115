import { readParameter } from "../shared/aws/parameter.ts";
import type { Action } from "../shared/cloud/call.ts";
import type { FleetStatus } from "../shared/cloud/fleet_status.ts";
import { getLogger } from "../shared/log.ts";
import { systemClock } from "../shared/system_clock.ts";
import { createClientRules } from "../shared/clients/rules.ts";
import type { Caller } from "./caller.ts";
import { readEnvironment } from "./environment.ts";
import { httpFunction } from "./http_function.ts";
import type { Handler } from "./invocation.ts";
import { TrustKeeper } from "./trust.ts";

/** What a function that agents call does. */
export interface DoorInit {
  readonly action: Action;
  /** The one method that it takes. */
  readonly method: "GET" | "POST";
  act(signal: AbortSignal, caller: Caller): Promise<FleetStatus>;
}

/**
 * Makes the handler of a function that agents call, with the CA, the revocation list and the client rules that the
 * environment names.
 * @throws {Error} That names the variable that is missing or makes no sense.
 */
export function agentsDoor(init: DoorInit): Handler {
  const {
    SALLYPORT_CA_CERT_PEM: caPem,
    SALLYPORT_CRL_PARAMETER: crl,
    SALLYPORT_CLIENTS__ALLOW: clients,
  } = readEnvironment("SALLYPORT_CA_CERT_PEM", "SALLYPORT_CRL_PARAMETER", "SALLYPORT_CLIENTS__ALLOW");
  const log = getLogger(init.action);
  const keeper = new TrustKeeper({
    caPem,
    crl: crl === "" ? undefined : { parameter: crl, read: (signal) => readParameter(crl, signal) },
    clock: systemClock,
    log,
  });
  return httpFunction({
    ...init,
    trust: keeper,
    mayCall: createClientRules(clients),
    clock: systemClock,
    log,
  });
}
