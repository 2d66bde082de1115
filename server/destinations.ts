import { SallyportError } from "../shared/errors.ts";
import { type ClientEntry, createClientRules } from "../shared/clients/rules.ts";
import type { ClientNames } from "../shared/clients/pattern.ts";
import { createOriginPool, type OriginPool } from "../shared/forward/origin_pool.ts";
import { createDialer, type Dial } from "../shared/targets/dial.ts";
import type { OwnPorts } from "../shared/targets/own_ports.ts";
import { createTargetPolicy } from "./targets/policy.ts";
import { createResolver, type Lookup } from "../shared/targets/resolve.ts";
import { hostPort } from "../shared/net/host_port.ts";
import { UnderWay } from "../shared/targets/under_way.ts";

/** Look-ups at once: each takes a thread for as long as the name servers are silent. */
const MAX_LOOKUPS = 256;
/** Targets that are being connected to at once: each takes sockets for up to 10 s. */
const MAX_DIALS = 1_024;

/** What makes {@linkcode Destinations}. */
export interface DestinationsOptions {
  /** The server's own `targets`. */
  readonly targets: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** `clients.allow`. */
  readonly clients: readonly ClientEntry[];
  /** Ports that nobody is sent to. */
  readonly ownPorts: OwnPorts;
  /** Who knows names. @default the system */
  readonly lookup?: Lookup | undefined;
}

/** Who wants to go somewhere. */
export interface Client extends ClientNames {
  /** Of its certificate: tells it from others. */
  readonly fingerprint: string;
}

/** How a client reaches its targets. */
export interface Destination {
  readonly dial: Dial;
  readonly origins: OriginPool;
}

/**
 * Where each client may go. Clients of one entry of `clients.allow` with targets of its own share a pool of
 * connections to origins, and no others: a kept connection was judged by the rules of those who had it made.
 */
export class Destinations {
  readonly #find: ReturnType<typeof createClientRules>;
  readonly #common: Destination;
  /** By the index of their entries. */
  readonly #own = new Map<number, Destination>();
  /** For clients that no entry is about. */
  readonly #none = destination(refuseStranger);

  /** @throws SallyportError `bad_request` for a pattern or a target that cannot be read. */
  constructor({ targets, clients, ownPorts, lookup }: DestinationsOptions) {
    const resolve = createResolver({
      ...(lookup === undefined ? {} : { lookup }),
      underWay: new UnderWay(MAX_LOOKUPS, "look-ups of names"),
    });
    const underWay = new UnderWay(MAX_DIALS, "connections to targets");
    const reach = (allow: readonly string[], deny: readonly string[]): Destination => {
      const policy = createTargetPolicy({ allow, deny, ownPorts });
      return destination(createDialer({ policy, resolve, underWay }));
    };
    this.#find = createClientRules(clients);
    this.#common = reach(targets.allow, targets.deny);
    for (const [index, { targets: own }] of clients.entries()) {
      if (own) this.#own.set(index, reach(own.allow, [...targets.deny, ...own.deny]));
    }
  }

  /** How a client reaches its targets, or is told that it reaches none; asked for every stream. */
  of(client: Client): Destination {
    const { dial, origins } = this.#rulesOf(client);
    return { dial: (host, port, signal) => dial(host, port, signal, client.fingerprint), origins };
  }

  #rulesOf(client: Client): Destination {
    const entry = this.#find(client);
    if (entry === undefined) return this.#none;
    return (entry === "everybody" ? undefined : this.#own.get(entry)) ?? this.#common;
  }

  /** Closes the connections to origins that are kept. */
  destroy(): void {
    for (const { origins } of [this.#common, this.#none, ...this.#own.values()]) origins.destroy();
  }
}

function destination(dial: Dial): Destination {
  return { dial, origins: createOriginPool() };
}

function refuseStranger(host: string, port: number): Promise<never> {
  const message = `Cannot connect to ${
    hostPort(host, port)
  }: clients.allow on the server does not name this client`;
  return Promise.reject(new SallyportError("target_denied", message, { cause: "no entry of clients.allow" }));
}
