import { startAgent } from "../../agent/agent.ts";
import { loadAgentConfig } from "../../agent/config.ts";
import { loadServerConfig } from "../../server/config.ts";
import { startServer } from "../../server/server.ts";
import type { Lookup } from "../../shared/targets/resolve.ts";
import { TestPki } from "./pki.ts";

/** An agent and a server in the test's own process, for what cannot be set from outside: who knows names. */
export interface InnerChain extends AsyncDisposable {
  /** The agent's port for clients. */
  readonly proxyPort: number;
}

/**
 * Starts both, on free ports of 127.0.0.1.
 *
 * @param lookup Who knows names.
 * @param allow `targets.allow` of the server, separated by commas.
 */
export async function startInnerChain(lookup: Lookup, allow = ""): Promise<InnerChain> {
  const pki = await TestPki.create();
  const [serverKey, clientKey] = [await pki.serverKey(), await pki.clientKey()];
  const serverConfig = await loadServerConfig({
    environment: {
      ...identity(pki, serverKey),
      SALLYPORT_LISTEN_ADDR: "127.0.0.1",
      SALLYPORT_LISTEN_PORT: "0",
      SALLYPORT_HEALTH_PORT: "0",
      SALLYPORT_TARGETS__ALLOW: allow,
    },
  });
  const server = await startServer(serverConfig, { lookup, writeAudit: (bytes) => bytes.byteLength });
  const agentConfig = await loadAgentConfig({
    environment: {
      ...identity(pki, clientKey),
      SALLYPORT_SERVER_IP: "127.0.0.1",
      SALLYPORT_SERVER_PORT: String(server.addresses[0]!.port),
      SALLYPORT_LOCAL_PROXY_PORT: "0",
      SALLYPORT_CONSOLE_PORT: "0",
    },
  });
  const agent = await startAgent(agentConfig);
  return {
    proxyPort: agent.proxyAddress.port,
    async [Symbol.asyncDispose]() {
      await agent.drain("the test is over");
      await server.drain("the test is over");
    },
  };
}

function identity(pki: TestPki, { cert, key }: { cert: string; key: string }): Record<string, string> {
  return { SALLYPORT_CERT_PEM: cert, SALLYPORT_KEY_PEM: key, SALLYPORT_CA_CERT_PEM: pki.ca };
}
