import { runScanner } from "./scanner.ts";

/** What sslscan found at a port. */
export interface SslscanReport {
  /** Protocols that the server accepts, such as `tls 1.3`. */
  readonly protocols: readonly string[];
  /** Cipher suites that it accepts, each with the protocol. */
  readonly suites: readonly string[];
  readonly renegotiates: boolean;
  readonly compresses: boolean;
  readonly heartbleeds: boolean;
  /** The report itself, for messages. */
  readonly xml: string;
}

/**
 * Scans a port of 127.0.0.1.
 *
 * @param dir Folder of its report.
 */
export async function sslscan(port: number, serverName: string, dir: string): Promise<SslscanReport> {
  const file = `${dir}/sslscan.xml`;
  const args = [`--xml=${file}`, `--sni-name=${serverName}`, "--connect-timeout=10", `127.0.0.1:${port}`];
  const said = await runScanner("sslscan", args, dir);
  const xml = await Deno.readTextFile(file).catch((cause) => {
    throw new Error(`Cannot read the report of sslscan; it wrote:\n${said}`, { cause });
  });
  const isSet = (element: string, attribute: string) =>
    elements(xml, element).some((each) => each[attribute] !== "0");
  return {
    protocols: elements(xml, "protocol")
      .filter(({ enabled }) => enabled !== "0")
      .map(({ type, version }) => `${type} ${version}`),
    suites: elements(xml, "cipher").map(({ sslversion, cipher }) => `${sslversion} ${cipher}`),
    renegotiates: isSet("renegotiation", "supported"),
    compresses: isSet("compression", "supported"),
    heartbleeds: isSet("heartbleed", "vulnerable"),
    xml,
  };
}

/** Attributes of all elements of that name; sslscan's are flat and quoted. */
function elements(xml: string, name: string): Record<string, string>[] {
  const found = xml.matchAll(new RegExp(`<${name} ([^>]*?)/?>`, "g"));
  return [...found].map(([, attributes = ""]) =>
    Object.fromEntries([...attributes.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!]))
  );
}
