import { dirname, join, relative, resolve } from "node:path";
import { isMap, parseDocument } from "yaml";

/** What the agent has to know of a deployment. */
export interface AgentKeys {
  readonly wake_endpoint: string;
  readonly query_endpoint: string;
  readonly kill_endpoint: string;
}

/** The folder with the client's certificate, as the agent's file names it. */
export interface ClientFiles {
  readonly folder: string;
  /** Whether the folder has a revocation list for the agent, crl.pem. */
  readonly hasCrl: boolean;
}

/**
 * Writes the endpoints into the agent's configuration; everything else in the file stays, comments too. A server_ip
 * would win over the cloud and is emptied. A new file also gets the certificates, and the revocation list if there is
 * one.
 *
 * @returns The keys whose values are others now; none when the file said it all.
 * @throws {Error} When the file is there and is no configuration.
 */
export async function writeAgentFile(path: string, client: ClientFiles, keys: AgentKeys): Promise<string[]> {
  const before = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  const document = parseDocument(before ?? "");
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new Error(
      `Cannot write ${path}: it is there and is no configuration; move it away, or name another file`,
    );
  }
  const crl = client.hasCrl ? { crl_file: "crl.pem" } : {};
  const files = { cert_file: "client.crt", key_file: "client.key", ca_cert_file: "ca.crt", ...crl };
  const wanted: Record<string, string> = { server_ip: "", ...keys };
  if (before === undefined) {
    // The agent takes paths as relative to its file.
    const folder = relative(dirname(resolve(path)), resolve(client.folder));
    for (const [key, file] of Object.entries(files)) wanted[key] = join(folder, file);
  }
  const changed = Object.keys(wanted).filter((key) => (document.get(key) ?? "") !== wanted[key]);
  for (const key of changed) document.set(key, wanted[key]);
  if (changed.length > 0) await Deno.writeTextFile(path, document.toString());
  return changed;
}
