import { SallyportError } from "../errors.ts";

/** An address that a program will listen on. */
export interface ListenAddress {
  /** The keys of the address, the port's last. */
  readonly keys: readonly string[];
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/**
 * Requires that no two listeners of a program use the same port of the same address: the second would fail with an error
 * about another program.
 *
 * @param at Where a key's value comes from.
 * @throws {SallyportError} `bad_request`, with the names of both keys.
 */
export function requireDistinctPorts(at: (key: string) => string, ports: readonly ListenAddress[]): void {
  for (const [index, one] of ports.entries()) {
    const other = ports.slice(0, index).find((each) => collide(each, one));
    if (other === undefined) continue;
    const [key, otherKey] = [one.keys.at(-1)!, other.keys.at(-1)!];
    throw new SallyportError(
      "bad_request",
      `${at(key)}: Cannot use ${key}: it is ${one.port}, and so is ${otherKey} (${at(otherKey)}); ` +
        "set one of them to another port",
    );
  }
}

function collide(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port === 0 || one.port !== other.port) return false;
  const [a, b] = [addressOf(one.host), addressOf(other.host)];
  // The unspecified IPv6 address accepts connections over IPv4 too.
  return a === b || a === "::" || b === "::" ||
    a === "0.0.0.0" && !b.includes(":") || b === "0.0.0.0" && !a.includes(":");
}

function addressOf(host: string): string {
  return host.toLowerCase() === "localhost" ? "127.0.0.1" : host.toLowerCase();
}
