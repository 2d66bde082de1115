/** Query: answers where the servers are, and changes nothing. */
import { agentsDoor } from "./agents_door.ts";
import { fleetOfEnvironment } from "./fleet_of_environment.ts";

const fleet = fleetOfEnvironment();

export const handler = agentsDoor({ action: "query", method: "GET", act: (signal) => fleet.status(signal) });
