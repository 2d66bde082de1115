/** Wake: wants servers, as many as `SALLYPORT_SERVERS` says, and answers where they are. */
import { agentsDoor } from "./agents_door.ts";
import { readEnvironment } from "./environment.ts";
import { fleetOfEnvironment } from "./fleet_of_environment.ts";

const fleet = fleetOfEnvironment();
const { SALLYPORT_SERVERS: servers } = readEnvironment("SALLYPORT_SERVERS");

export const handler = agentsDoor({
  action: "wake",
  method: "POST",
  async act(signal) {
    await fleet.wake(servers, signal);
    return await fleet.status(signal);
  },
});
