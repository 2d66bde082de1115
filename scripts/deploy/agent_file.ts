import { dirname, join, relative, resolve } from "node:path";
import { isMap, parseDocument } from "yaml";

/** The keys that a deployment sets in the agent's configuration. */
export interface AgentKeys {
  readonly wake_endpoint: string;
  readonly query_endpoint: string;
  readonly kill_endpoint: string;
}

/** The client's certificate files. */
export interface ClientFiles {
  readonly folder: string;
  /** Whether the folder has a revocation list, crl.pem. */
  readonly hasCrl: boolean;
}

/**
 * Writes the endpoints into the agent's configuration and keeps everything else in the file, also comments. server_ip is
 * emptied, since it takes precedence over the cloud. A new file also gets the certificates, and the revocation list if
 * there is one.
 *
 * @returns The keys that changed.
 * @throws {Error} When the file exists and is not a configuration.
 */
export async function writeAgentFile(path: string, client: ClientFiles, keys: AgentKeys): Promise<string[]> {
  const before = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  const document = parseDocument(before ?? "");
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new Error(
      `Cannot write ${path}: it exists and is not a configuration; move it away, or pass another file`,
    );
  }
  const crl = client.hasCrl ? { crl_file: "crl.pem" } : {};
  const files = { cert_file: "client.crt", key_file: "client.key", ca_cert_file: "ca.crt", ...crl };
  const wanted: Record<string, string> = { server_ip: "", ...keys };
  if (before === undefined) {
    // Paths are relative to the file.
    const folder = relative(dirname(resolve(path)), resolve(client.folder));
    for (const [key, file] of Object.entries(files)) wanted[key] = join(folder, file);
  }
  const changed = Object.keys(wanted).filter((key) => (document.get(key) ?? "") !== wanted[key]);
  for (const key of changed) document.set(key, wanted[key]);
  if (changed.length > 0) await Deno.writeTextFile(path, document.toString());
  return changed;
}
