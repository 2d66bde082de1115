/** Kill: wants no servers any more; those that run drain and end. */
import { agentsDoor } from "./agents_door.ts";
import { fleetOfEnvironment } from "./fleet_of_environment.ts";

const fleet = fleetOfEnvironment();

export const handler = agentsDoor({
  action: "kill",
  method: "POST",
  async act(signal) {
    await fleet.stop(signal);
    return { state: "stopped", servers: [] };
  },
});
