import { hostPort } from "../../../shared/net/host_port.ts";
import { fromOsError } from "../../../shared/net/os_error.ts";
import { fail, pass } from "../finding.ts";
import type { Step } from "../step.ts";

/** Are the ports free that the agent listens on, or does the agent have them already? */
export const ports: Step = {
  name: "ports",
  needs: ["configuration"],
  async look({ config, surroundings }) {
    const { localProxyHost, localProxyPort, consolePort } = config;
    const own = [[localProxyHost, localProxyPort], ["127.0.0.1", consolePort]] as const;
    const problem = own.map(([host, port]) => whyNotFree(host, port)).find((why) => why !== undefined);
    if (problem === undefined) {
      const shown = own.map(([, port]) => port === 0 ? "one that is free" : port);
      return pass(`the proxy's port (${shown[0]}) and the console's (${shown[1]}) can be had`);
    }
    const running = consolePort === 0 ? undefined : await surroundings.runningAgent(consolePort);
    if (running?.proxyPort === localProxyPort) {
      return pass(`an agent runs here already, and says that it is ${running.state}`);
    }
    return fail("ports", problem);
  },
};

/** Has the port for a moment; undefined when that works. */
function whyNotFree(hostname: string, port: number): string | undefined {
  try {
    Deno.listen({ hostname, port }).close();
    return undefined;
  } catch (error) {
    return fromOsError(error, `listen on ${hostPort(hostname, port)}`).message;
  }
}
