import { type Address, EMBEDDINGS, ISATAP_BYTES } from "../../shared/targets/address.ts";
import type { TargetRule } from "../../shared/targets/rule.ts";
import { FIND_PROXY } from "./find_proxy.ts";
import type { Routes } from "./routes.ts";

/** A rule as the script has it: one of `name`, `below` and `bits`. */
interface ScriptRule {
  name?: string;
  /** What names end with, its dot included. */
  below?: string;
  /** The digits that an address begins with, in base two. */
  bits?: string;
  /** Digits of such an address. */
  size?: number;
  port?: number;
}

/** How an IPv6 address embeds IPv4 addresses, in bits; those at a negative place are inverted. */
interface ScriptEmbedding {
  pattern: string;
  at: number[];
}

/** Addresses that a port listens at but nobody can connect to, and one of the same machine that works. */
const USABLE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/**
 * Writes a proxy auto-configuration file: what `bypass` names goes directly, and all else to the agent, also what
 * `block` names, which gets the page that says so there. There is no second choice for when the agent does not answer:
 * it would send past the tunnel what is meant for it.
 *
 * @param proxy Where the agent's proxy listens.
 */
export function proxyScript(
  { bypass, block }: Pick<Routes, "bypass" | "block">,
  { host, port }: { host: string; port: number },
): string {
  const usable = USABLE[host] ?? host;
  const proxy = `PROXY ${usable.includes(":") ? `[${usable}]` : usable}:${port}`;
  const lists = { bypass: bypass.rules.map(scriptRule), block: block.rules.map(scriptRule) };
  return `// Made by the Sallyport agent from its lists bypass and block.
var PROXY = ${JSON.stringify(proxy)};
var LISTS = ${JSON.stringify(lists)};
var EMBEDDINGS = ${JSON.stringify(scriptEmbeddings())};

${FIND_PROXY}`;
}

function scriptRule({ covers, port }: TargetRule): ScriptRule {
  const only = port === undefined ? {} : { port };
  switch (covers.kind) {
    case "name":
      return { name: covers.name, ...only };
    case "below":
      return { below: `.${covers.name}`, ...only };
    case "range": {
      const bits = bitsOf(covers.network);
      return { bits: bits.slice(0, covers.prefix), size: bits.length, ...only };
    }
  }
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

function bitsOf(address: Address): string {
  return address.toByteArray().map(bitsOfByte).join("");
}

function bitsOfByte(byte: number): string {
  return byte.toString(2).padStart(8, "0");
}
