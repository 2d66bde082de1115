import { WebAgent } from "../tls/web_agent.ts";

/**
 * How AWS is called: a call that hangs is given up early enough for another attempt within the 15 s that a
 * function has. Each client that takes the options gets connections of its own.
 */
export const CLIENT_OPTIONS = {
  maxAttempts: 3,
  get requestHandler() {
    return {
      connectionTimeout: 1_500,
      requestTimeout: 4_000,
      throwOnRequestTimeout: true,
      httpsAgent: new WebAgent({ keepAlive: true, maxSockets: 50 }),
    };
  },
};
