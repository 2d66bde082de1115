import { Fleet } from "./aws/fleet.ts";
import { readEnvironment } from "./environment.ts";

/**
 * The fleet that the environment names.
 * @throws {Error} That names the variable that is missing or makes no sense.
 */
export function fleetOfEnvironment(): Fleet {
  const { SALLYPORT_CLUSTER: cluster, SALLYPORT_SERVICE: service, SALLYPORT_LISTEN_PORT: port } =
    readEnvironment("SALLYPORT_CLUSTER", "SALLYPORT_SERVICE", "SALLYPORT_LISTEN_PORT");
  return new Fleet({ cluster, service, port });
}
