import { startAgent } from "../../../agent/agent.ts";
import { loadAgentConfig } from "../../../agent/config/config.ts";
import { loadServerConfig } from "../../../server/config/config.ts";
import { startServer } from "../../../server/server.ts";
import type { Lookup } from "../../../shared/egress/dial/resolve.ts";
import { TestPki } from "../pki/pki.ts";

/** An agent and a server in the test's process, with a lookup function of the test. */
export interface InProcessChain extends AsyncDisposable {
  /** The agent's port for clients. */
  readonly proxyPort: number;
  /** The port of the agent's console. */
  readonly consolePort: number;
  /** Targets of closed streams, from the server's audit lines. */
  readonly serverTargets: readonly string[];
}

/** Options of the agent. */
export interface InProcessAgent {
  /** Looks up names for the agent. @default the system's resolver */
  readonly lookup?: Lookup;
  /** Variables besides those of certificates and ports. */
  readonly environment?: Record<string, string>;
}

/**
 * Starts both, on free ports of 127.0.0.1.
 *
 * @param lookup Looks up names for the server.
 * @param allow `targets.allow` of the server, separated by commas.
 */
export async function startInProcessChain(
  lookup: Lookup,
  allow = "",
  inner: InProcessAgent = {},
): Promise<InProcessChain> {
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
  const serverTargets: string[] = [];
  const writeAudit = (bytes: Uint8Array) => {
    for (const line of new TextDecoder().decode(bytes).trimEnd().split("\n")) {
      serverTargets.push(JSON.parse(line).target);
    }
    return bytes.byteLength;
  };
  const server = await startServer(serverConfig, { lookup, writeAudit });
  const agentConfig = await loadAgentConfig({
    environment: {
      ...identity(pki, clientKey),
      SALLYPORT_SERVER_IP: "127.0.0.1",
      SALLYPORT_SERVER_PORT: String(server.addresses[0]!.port),
      SALLYPORT_LOCAL_PROXY_PORT: "0",
      SALLYPORT_CONSOLE_PORT: "0",
      ...inner.environment,
    },
  });
  const agent = await startAgent(agentConfig, inner.lookup === undefined ? {} : { lookup: inner.lookup });
  return {
    proxyPort: agent.proxyAddress.port,
    consolePort: agent.consoleAddress.port,
    serverTargets,
    async [Symbol.asyncDispose]() {
      await agent.drain("the test is over");
      await server.drain("the test is over");
    },
  };
}

function identity(pki: TestPki, { cert, key }: { cert: string; key: string }): Record<string, string> {
  return { SALLYPORT_CERT_PEM: cert, SALLYPORT_KEY_PEM: key, SALLYPORT_CA_CERT_PEM: pki.ca };
}
