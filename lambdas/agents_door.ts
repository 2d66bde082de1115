import { readParameter } from "../shared/aws/parameter.ts";
import type { Action } from "../shared/cloud/call.ts";
import type { FleetStatus } from "../shared/cloud/fleet_status.ts";
import { getLogger } from "../shared/log.ts";
import { systemClock } from "../shared/system_clock.ts";
import { readEnvironment } from "./environment.ts";
import { httpFunction } from "./http_function.ts";
import type { Handler } from "./invocation.ts";
import { TrustKeeper } from "./trust.ts";

/** What a function that agents call does. */
export interface DoorInit {
  readonly action: Action;
  /** The one method that it takes. */
  readonly method: "GET" | "POST";
  act(signal: AbortSignal): Promise<FleetStatus>;
}

/**
 * Makes the handler of a function that agents call, with the CA and the revocation list that the environment
 * names.
 * @throws {Error} That names the variable that is missing or makes no sense.
 */
export function agentsDoor(init: DoorInit): Handler {
  const { SALLYPORT_CA_CERT_PEM: caPem, SALLYPORT_CRL_PARAMETER: crl } = readEnvironment(
    "SALLYPORT_CA_CERT_PEM",
    "SALLYPORT_CRL_PARAMETER",
  );
  const log = getLogger(init.action);
  const keeper = new TrustKeeper({
    caPem,
    readCrl: crl === "" ? undefined : (signal) => readParameter(crl, signal),
    clock: systemClock,
    log,
  });
  return httpFunction({ ...init, trust: (signal) => keeper.current(signal), clock: systemClock, log });
}
