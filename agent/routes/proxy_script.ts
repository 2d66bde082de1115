import { hostPort } from "../../shared/net/host_port.ts";
import { reachable } from "../../shared/net/reachable.ts";
import { EMBEDDINGS, ISATAP_BYTES } from "../../shared/targets/address.ts";
import { bitsOf, bitsOfByte } from "./bits.ts";
import { FIND_PROXY } from "./find_proxy.ts";
import type { Routes } from "./routes.ts";
import { type ScriptLists, scriptLists } from "./script_lists.ts";

/** How an IPv6 address embeds IPv4 addresses, in bits; those at a negative place are inverted. */
interface ScriptEmbedding {
  pattern: string;
  at: number[];
}

/** A proxy auto-configuration file. */
export interface ProxyScript {
  readonly text: string;
  /** Bytes of the file that would have been too large, where this one sends everything to the agent in its place. */
  readonly tooLarge: number | undefined;
}

/**
 * Bytes of a script at the most. Chromium takes none of more than 1 MiB, and then goes past the tunnel for everything
 * without a word.
 */
export const MAX_SCRIPT_BYTES = 900_000;

const NO_LISTS: ScriptLists = { bypass: [], block: [], judged: [] };

/**
 * Writes a proxy auto-configuration file: what `bypass` names goes directly, and all else to the agent, also what
 * `block` names, which gets the page that says so there. Names that `bypass` names go to the agent too where an entry
 * of `block` is about addresses: it looks them up, judges where they lead, and goes there directly by itself. There is
 * no second choice for when the agent does not answer: it would send past the tunnel what is meant for it. Lists that
 * would make it too large are left out: the agent decides by itself.
 *
 * @param proxy Where the agent's proxy listens.
 */
export function proxyScript(
  routes: Pick<Routes, "bypass" | "block">,
  { host, port }: { host: string; port: number },
): ProxyScript {
  const proxy = `PROXY ${hostPort(reachable(host), port)}`;
  const whole = scriptText(proxy, scriptLists(routes));
  // Names are in ASCII, so that a character is a byte.
  if (whole.length <= MAX_SCRIPT_BYTES) return { text: whole, tooLarge: undefined };
  return { text: scriptText(proxy, NO_LISTS), tooLarge: whole.length };
}

function scriptText(proxy: string, lists: ScriptLists): string {
  return `// Made by the Sallyport agent from its lists bypass and block.
var PROXY = ${JSON.stringify(proxy)};
var LISTS = ${JSON.stringify(lists)};
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
