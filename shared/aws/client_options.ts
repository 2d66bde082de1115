import { WebAgent } from "../tls/web_agent.ts";

/**
 * Options of all AWS clients: a call that hangs times out early enough for another attempt within the 15 s of a function.
 * Each client gets its own connections.
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
