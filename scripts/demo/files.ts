import { X509Certificate } from "node:crypto";
import { stringify } from "yaml";
import { initCertificates } from "../../agent/certs/init.ts";
import type { DemoPorts } from "./ports.ts";

/** What the demo writes for the programs to read. */
export interface DemoFiles {
  /** The agent's configuration file. */
  readonly agent: string;
  /** The server's configuration file. */
  readonly server: string;
}

const NAMES = ["ca.crt", "server.crt", "server.key", "client.crt", "client.key"];
/** Certificates that end sooner than this are made anew, so that a demo does not end in its middle. */
const SHORTEST_REST_MS = 24 * 60 * 60 * 1000;

/**
 * Makes certificates in `dir`/certs unless good ones are there, and writes both configuration files to `dir`.
 *
 * @param more Keys that differ from the demo's.
 */
export async function writeDemoFiles(
  dir: string,
  ports: DemoPorts,
  more: { agent?: Record<string, unknown>; server?: Record<string, unknown> } = {},
): Promise<DemoFiles> {
  const certificates = `${dir}/certs`;
  if (!await areUsable(certificates)) {
    await removeAll(certificates);
    await Deno.mkdir(dir, { recursive: true });
    await initCertificates({ dir: certificates });
  }
  const files = { agent: `${dir}/agent.yaml`, server: `${dir}/server.yaml` };
  await Deno.writeTextFile(files.server, yaml({ ...serverKeys(ports), ...more.server }));
  await Deno.writeTextFile(files.agent, yaml({ ...agentKeys(ports), ...more.agent }));
  return files;
}

function serverKeys(ports: DemoPorts): Record<string, unknown> {
  return {
    listen_addr: "127.0.0.1",
    listen_port: ports.serverPort,
    health_port: ports.healthPort,
    cert_file: "certs/server.crt",
    key_file: "certs/server.key",
    ca_cert_file: "certs/ca.crt",
    targets: { allow: [`127.0.0.1:${ports.originPort}`] },
    drain_timeout: "5s",
  };
}

function agentKeys(ports: DemoPorts): Record<string, unknown> {
  return {
    server_ip: "127.0.0.1",
    server_port: ports.serverPort,
    local_proxy_host: "127.0.0.1",
    local_proxy_port: ports.proxyPort,
    console_port: ports.consolePort,
    cert_file: "certs/client.crt",
    key_file: "certs/client.key",
    ca_cert_file: "certs/ca.crt",
  };
}

function yaml(keys: Record<string, unknown>): string {
  return `# Written by "deno task demo" at every start\n${stringify(keys)}`;
}

/** Tells whether all certificates and keys are there, and none ends within a day. */
async function areUsable(dir: string): Promise<boolean> {
  try {
    for (const name of NAMES) {
      const text = await Deno.readTextFile(`${dir}/${name}`);
      if (name.endsWith(".crt") && restOf(text) < SHORTEST_REST_MS) return false;
    }
    return true;
  } catch {
    return false; // missing or broken: made anew either way
  }
}

function restOf(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo) - Date.now();
}

async function removeAll(dir: string): Promise<void> {
  try {
    await Deno.remove(dir, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
