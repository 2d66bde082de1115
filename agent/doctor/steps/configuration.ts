import { SallyportError } from "../../../shared/errors.ts";
import { fail, pass } from "../finding.ts";
import type { Step } from "../step.ts";

/** Can the configuration be read? */
export const configuration: Step = {
  name: "configuration",
  needs: [],
  async look(found) {
    try {
      const { cloud, upstream, serverIp, serverPort } = found.config = await found.surroundings.load();
      const server = cloud === undefined
        ? `the server is ${serverIp}, port ${serverPort}`
        : `the server is found by ${cloud.endpoints.wake.origin}`;
      const through = upstream && `, through the proxy ${upstream.proxy.url.host} (${upstream.source})`;
      return pass(server + (through ?? ""));
    } catch (error) {
      return fail("configuration", SallyportError.from(error).message);
    }
  },
};
