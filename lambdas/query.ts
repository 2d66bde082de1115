/** Query: returns the status of the fleet, and changes nothing. */
import { agentFunction } from "./agent_function.ts";
import { fleetFromEnvironment } from "./environment.ts";

const fleet = fleetFromEnvironment();

export const handler = agentFunction({
  action: "query",
  method: "GET",
  act: (signal) => fleet.status(signal),
});
