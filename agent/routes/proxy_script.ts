import { EMBEDDINGS, ISATAP_BYTES } from "../../shared/targets/address.ts";
import { bitsOf, bitsOfByte } from "./bits.ts";
import { FIND_PROXY } from "./find_proxy.ts";
import type { Routes } from "./routes.ts";
import { scriptLists } from "./script_lists.ts";

/** How an IPv6 address embeds IPv4 addresses, in bits; those at a negative place are inverted. */
interface ScriptEmbedding {
  pattern: string;
  at: number[];
}

/** Addresses that a port listens at but nobody can connect to, and one of the same machine that works. */
const USABLE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/**
 * Writes a proxy auto-configuration file: what `bypass` names goes directly, and all else to the agent, also what
 * `block` names, which gets the page that says so there. Names that `bypass` names go to the agent too where an entry
 * of `block` is about addresses: it looks them up, judges where they lead, and goes there directly by itself. There is
 * no second choice for when the agent does not answer: it would send past the tunnel what is meant for it.
 *
 * @param proxy Where the agent's proxy listens.
 */
export function proxyScript(
  routes: Pick<Routes, "bypass" | "block">,
  { host, port }: { host: string; port: number },
): string {
  const usable = USABLE[host] ?? host;
  const proxy = `PROXY ${usable.includes(":") ? `[${usable}]` : usable}:${port}`;
  return `// Made by the Sallyport agent from its lists bypass and block.
var PROXY = ${JSON.stringify(proxy)};
var LISTS = ${JSON.stringify(scriptLists(routes))};
var EMBEDDINGS = ${JSON.stringify(scriptEmbeddings())};

${FIND_PROXY}`;
}

/** The same as `embeddedIPv4` goes by, in its order. */
function scriptEmbeddings(): ScriptEmbedding[] {
  const isatap = ISATAP_BYTES.map((bytes) => ({
    pattern: `^.{64}${bytes.map(bitsOfByte).join("")}`,
    at: [96],
  }));
  const others = EMBEDDINGS.map(({ cidr: [network, prefix], at, inverted }) => ({
    pattern: `^${bitsOf(network).slice(0, prefix)}`,
    at: [...at.map((byte) => byte * 8), ...(inverted === undefined ? [] : [-inverted * 8])],
  }));
  return [...isatap, ...others];
}
