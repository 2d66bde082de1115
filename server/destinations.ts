import { setImmediate } from "node:timers";
import { SallyportError } from "../shared/errors.ts";
import { type ClientEntry, createClientRules } from "../shared/clients/rules.ts";
import type { ClientNames } from "../shared/clients/pattern.ts";
import { createOriginPool, type OriginPool } from "../shared/forward/origin_pool.ts";
import { OriginPools } from "../shared/forward/origin_pools.ts";
import { type LimitFigures, SharedLimit } from "../shared/limits/shared_limit.ts";
import { DescriptorRoom } from "../shared/net/descriptor_room.ts";
import { systemClock } from "../shared/system_clock.ts";
import { createDialer, type Dial } from "../shared/targets/dial.ts";
import type { OwnPorts } from "../shared/targets/own_ports.ts";
import { createTargetPolicy } from "./targets/policy.ts";
import { createResolver, type Lookup } from "../shared/targets/resolve.ts";
import { UnderWay } from "../shared/targets/under_way.ts";

/** Look-ups at once: each takes a thread for as long as the name servers are silent. */
const MAX_LOOKUPS = 256;
/** Targets that are being connected to at once: each takes sockets for up to 10 s. */
const MAX_DIALS = 1_024;

/** Streams of all connections together, in `max_streams`. */
const STREAMS_FACTOR = 8;
/** Descriptors that streams leave to new connections of agents, and to those who have fewer streams. */
const SPARE_DESCRIPTORS = 12;
/** Streams, or unused connections, that give way when descriptors are short. */
const GIVE_WAY = 4;

/** What makes {@linkcode Destinations}. */
export interface DestinationsOptions {
  /** The server's own `targets`. */
  readonly targets: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** `clients.allow`. */
  readonly clients: readonly ClientEntry[];
  /** Ports that nobody is sent to. */
  readonly ownPorts: OwnPorts;
  /** Streams of one connection (`max_streams`). */
  readonly maxStreams: number;
  /** Who knows names. @default the system */
  readonly lookup?: Lookup | undefined;
}

/** Who wants to go somewhere. */
export interface Client extends ClientNames {
  /** Of its certificate: tells it from others. */
  readonly fingerprint: string;
}

/** Ends a stream. */
type Cut = (error: SallyportError) => void;

/** How a stream of a client reaches its target. */
export interface Destination {
  readonly dial: Dial;
  readonly origins: OriginPool;
  /** The stream is over. */
  done(): void;
}

/**
 * Where each client may go, and its share of what going there takes: streams, look-ups, connections under way and
 * unused connections to origins, each limited over all clients.
 */
export class Destinations {
  readonly #find: ReturnType<typeof createClientRules>;
  readonly #common: Dial;
  /** By the index of their entries. */
  readonly #own = new Map<number, Dial>();
  readonly #origins = new OriginPools();
  /** For streams that are refused: a connection that is kept would serve them all the same. */
  readonly #noOrigins = createOriginPool();
  readonly #streams: SharedLimit<Cut>;
  /** Streams that began in this turn of the event loop: their sockets are not open yet. */
  #begun = 0;
  readonly #descriptors = new DescriptorRoom(systemClock, undefined, SPARE_DESCRIPTORS);
  readonly #lookups = new UnderWay(MAX_LOOKUPS, "look-ups of names");
  readonly #dials = new UnderWay(MAX_DIALS, "connections to targets");

  /** @throws SallyportError `bad_request` for a pattern or a target that cannot be read. */
  constructor({ targets, clients, ownPorts, maxStreams, lookup }: DestinationsOptions) {
    const why = "too many are open on the server, and most of them are of this client";
    const gaveWay = new SallyportError("limit_reached", `Cannot go on with the stream: ${why}`);
    this.#streams = new SharedLimit({
      total: STREAMS_FACTOR * maxStreams,
      whenFull: "evict",
      evict: (cut) => cut(gaveWay),
    });
    const resolve = createResolver({
      ...(lookup === undefined ? {} : { lookup }),
      underWay: this.#lookups,
    });
    const reach = (allow: readonly string[], deny: readonly string[]): Dial => {
      const policy = createTargetPolicy({ allow, deny, ownPorts });
      return createDialer({ policy, resolve, underWay: this.#dials });
    };
    this.#find = createClientRules(clients);
    this.#common = reach(targets.allow, targets.deny);
    for (const [index, { targets: own }] of clients.entries()) {
      if (own) this.#own.set(index, reach(own.allow, [...targets.deny, ...own.deny]));
    }
  }

  /** How much each limit is used, for metrics. */
  figures(): Record<"streams" | "lookups" | "dials" | "idle_origins", LimitFigures> {
    return {
      streams: this.#streams.figures(),
      lookups: this.#lookups.figures(),
      dials: this.#dials.figures(),
      idle_origins: this.#origins.figures(),
    };
  }

  /** Why a client is not served at all; undefined when it is. */
  refusalOf(client: Client): SallyportError | undefined {
    if (this.#find(client) !== undefined) return undefined;
    const problem = "clients.allow on the server does not name this client";
    return new SallyportError("peer_rejected", `Cannot let the agent in: ${problem}`);
  }

  /**
   * Begins a stream of a client that is served: how it reaches its target, or is told why it does not.
   *
   * @param cut Ends the stream, when it has to give way to one of another client.
   */
  begin(client: Client, cut: Cut): Destination {
    const { fingerprint } = client;
    const refusal = this.#hasDescriptor(fingerprint) ? undefined : OUT_OF_DESCRIPTORS;
    if (refusal !== undefined || !this.#streams.take(fingerprint, cut)) {
      return { dial: () => Promise.reject(full(refusal)), origins: this.#noOrigins, done() {} };
    }
    const dial = this.#dialOf(client);
    const { pool, end } = this.#origins.lease(fingerprint);
    return {
      dial: (host, port, signal) => dial(host, port, signal, fingerprint),
      origins: pool,
      done: () => {
        this.#streams.release(cut);
        end();
      },
    };
  }

  #hasDescriptor(fingerprint: string): boolean {
    const pending = this.#lookups.count + this.#begun;
    if (this.#descriptors.hasRoom(this.#streams.count, pending)) {
      if (this.#begun++ === 0) setImmediate(() => this.#begun = 0);
      return true;
    }
    return this.#origins.shed(GIVE_WAY) > 0 || this.#streams.makeWay(fingerprint, GIVE_WAY) > 0;
  }

  #dialOf(client: Client): Dial {
    const refusal = this.refusalOf(client);
    if (refusal !== undefined) return () => Promise.reject(refusal);
    const entry = this.#find(client);
    return (typeof entry === "number" ? this.#own.get(entry) : undefined) ?? this.#common;
  }

  /** Closes the connections to origins that are kept. */
  destroy(): void {
    this.#origins.destroy();
  }
}

const OUT_OF_DESCRIPTORS = "the program has too many files and connections open";

function full(why = "too many are open on the server"): SallyportError {
  return new SallyportError("limit_reached", `Cannot serve another stream: ${why}`);
}
