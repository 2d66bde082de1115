/** Wake: starts servers, as many as `SALLYPORT_SERVERS` says, and returns the status of the fleet. */
import { agentFunction } from "./agent_function.ts";
import { fleetFromEnvironment, readEnvironment } from "./environment.ts";

const fleet = fleetFromEnvironment();
const { SALLYPORT_SERVERS: servers } = readEnvironment("SALLYPORT_SERVERS");

export const handler = agentFunction({
  action: "wake",
  method: "POST",
  async act(signal) {
    await fleet.wake(servers, signal);
    return await fleet.status(signal);
  },
});
