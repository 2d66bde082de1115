import { X509Certificate } from "node:crypto";
import "reflect-metadata"; // x509 needs it to be there first
import { X509Crl } from "@peculiar/x509";
import { stringify } from "yaml";
import { initCertificates } from "../../agent/certs/init.ts";
import { expiriesOf, nearnessOf } from "../../shared/pki/identity/expiry.ts";
import type { DemoPorts } from "./ports.ts";

/** Configuration files that the demo writes. */
export interface DemoFiles {
  /** The agent's configuration file. */
  readonly agent: string;
  /** The server's configuration file. */
  readonly server: string;
}

const NAMES = ["ca.crt", "server.crt", "server.key", "client.crt", "client.key", "crl.pem"];

/**
 * Creates certificates in `dir`/certs unless valid ones exist, and writes both configuration files to `dir`.
 *
 * @param more Keys that replace the demo's.
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
    crl_file: "certs/crl.pem",
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
    crl_file: "certs/crl.pem",
  };
}

function yaml(keys: Record<string, unknown>): string {
  return `# Written by "deno task demo" at every start\n${stringify(keys)}`;
}

/** Whether all files exist, and none expires so soon that the programs would warn. */
async function areUsable(dir: string): Promise<boolean> {
  try {
    const [ca, server, , client, , list] = await Promise.all(
      NAMES.map((name) => Deno.readTextFile(`${dir}/${name}`)),
    );
    const { thisUpdate, nextUpdate = thisUpdate } = new X509Crl(list!);
    const ending = {
      chain: [new X509Certificate(server!), new X509Certificate(client!)],
      authorities: [new X509Certificate(ca!)],
      revocation: { thisUpdate, nextUpdate },
    };
    return expiriesOf(ending).every((expiry) => nearnessOf(expiry, Date.now()) === "far");
  } catch {
    return false; // missing or invalid: all are created again either way
  }
}

async function removeAll(dir: string): Promise<void> {
  try {
    await Deno.remove(dir, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
