import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import { SallyportError } from "../../shared/errors.ts";
import { type ClientEntry, createClientRules } from "../../shared/clients/rules.ts";
import type { ClientNames } from "../../shared/clients/pattern.ts";
import { createOriginPool, type OriginPool } from "../../shared/egress/http/origin_pool.ts";
import { OriginPools } from "../../shared/egress/http/origin_pools.ts";
import { type LimitFigures, SharedLimit } from "../../shared/limits/shared_limit.ts";
import { DescriptorHeadroom } from "../../shared/net/descriptor_headroom.ts";
import { systemClock } from "../../shared/system_clock.ts";
import { createDialer, type Dial, type ReserveSocket } from "../../shared/egress/dial/dial.ts";
import type { OwnPorts } from "../../shared/egress/rules/own_ports.ts";
import { createTargetPolicy } from "../targets/target_policy.ts";
import { createResolver, type Lookup } from "../../shared/egress/dial/resolve.ts";
import { ConcurrencyLimit } from "../../shared/egress/dial/concurrency_limit.ts";

/** Concurrent lookups: each occupies a thread until the name servers answer. */
const MAX_LOOKUPS = 256;
/** Concurrent dials: each occupies a socket for up to 10 s. */
const MAX_DIALS = 1_024;

/** Limit of streams over all connections, as a multiple of `max_streams`. */
const STREAMS_FACTOR = 8;
/** Lookups that run in parallel, each with a descriptor of its own. */
const RUNNING_LOOKUPS = 16;
/** Descriptors that are reserved for new connections of agents, and for clients with fewer sockets. */
const SPARE_DESCRIPTORS = 12;
/** Milliseconds for which a shortage of descriptors is remembered. */
const SHORT_MS = 10;
/** The most sockets to targets that are evicted for one more. */
const MAX_EVICTIONS = 4;

/** What makes {@linkcode ClientTargets}. */
export interface ClientTargetsInit {
  /** The server's own `targets`. */
  readonly targets: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** `clients.allow`. */
  readonly clients: readonly ClientEntry[];
  /** The server's own ports, which are never dialled. */
  readonly ownPorts: OwnPorts;
  /** Streams of one connection (`max_streams`). */
  readonly maxStreams: number;
  /** Resolves names. @default the system */
  readonly lookup?: Lookup | undefined;
  /** Counts free descriptors. @default those of the process */
  readonly descriptors?: DescriptorHeadroom | undefined;
}

/** A client that opens streams to targets. */
export interface Client extends ClientNames {
  /** Identity of its certificate. */
  readonly identity: string;
}

/** Resets a stream. */
type Cut = (error: SallyportError) => void;

/** A socket to a target, connected or not. */
interface TargetSocket {
  /** Closes it in favour of another client. */
  evict(): void;
}

/** How one stream reaches its target. */
export interface StreamAccess {
  readonly dial: Dial;
  readonly origins: OriginPool;
  /** Call when bytes went either way: idle streams are evicted first. */
  active(): void;
  /** Call when the stream is over. */
  done(): void;
}

/**
 * The targets that each client may reach, and its share of the resources that this takes: streams, lookups, dials and
 * idle connections to origins, each limited over all clients.
 */
export class ClientTargets {
  readonly #find: ReturnType<typeof createClientRules>;
  readonly #common: Dial;
  /** By the index of their entries. */
  readonly #own = new Map<number, Dial>();
  readonly #origins = new OriginPools({ onEvict: (socket) => this.#freed(socket) });
  /** For refused streams, which must not be served over an idle connection. */
  readonly #noOrigins = createOriginPool();
  readonly #streams: SharedLimit<Cut>;
  /** One for each open stream. */
  readonly #open = new Set<Cut>();
  /** Sockets to targets, each of which has a descriptor or is about to: only those can free one. */
  readonly #sockets = new SharedLimit<TargetSocket>({
    total: Infinity,
    whenFull: "evict",
    evict: (socket) => socket.evict(),
  });
  /** The connected ones. */
  readonly #connected = new WeakMap<Socket, TargetSocket>();
  /** Sockets created in this turn of the event loop: they may not have their descriptors yet. */
  readonly #begun = new Set<TargetSocket>();
  readonly #descriptors: DescriptorHeadroom;
  readonly #lookups = new ConcurrencyLimit(MAX_LOOKUPS, "name lookups");
  readonly #dials = new ConcurrencyLimit(MAX_DIALS, "connections to targets");

  /** @throws SallyportError `bad_request` for a pattern or a target that cannot be read. */
  constructor(options: ClientTargetsInit) {
    const { targets, clients, ownPorts, maxStreams, lookup, descriptors } = options;
    this.#descriptors = descriptors ??
      new DescriptorHeadroom(systemClock, undefined, SPARE_DESCRIPTORS, SHORT_MS);
    this.#streams = new SharedLimit({
      total: STREAMS_FACTOR * maxStreams,
      whenFull: "evict",
      evict: (cut) => cut(evicted()),
    });
    const resolve = createResolver({
      ...(lookup === undefined ? {} : { lookup }),
      concurrency: this.#lookups,
    });
    const reach = (allow: readonly string[], deny: readonly string[]): Dial => {
      const policy = createTargetPolicy({ allow, deny, ownPorts });
      return createDialer({ policy, resolve, concurrency: this.#dials });
    };
    this.#find = createClientRules(clients);
    this.#common = reach(targets.allow, targets.deny);
    for (const [index, { targets: own }] of clients.entries()) {
      if (own) this.#own.set(index, reach(own.allow, [...targets.deny, ...own.deny]));
    }
  }

  /** How much each limit is used, for metrics. */
  figures(): Record<"streams" | "lookups" | "dials" | "idle_origins", LimitFigures> {
    const streams = this.#streams.figures();
    return {
      streams: { ...streams, evicted: streams.evicted + this.#sockets.figures().evicted },
      lookups: this.#lookups.figures(),
      dials: this.#dials.figures(),
      idle_origins: this.#origins.figures(),
    };
  }

  /** Why a client is refused altogether; undefined when it is not. */
  refusalOf(client: Client): SallyportError | undefined {
    if (this.#find(client) !== undefined) return undefined;
    const problem = "clients.allow on the server does not name this client";
    return new SallyportError("peer_rejected", `Cannot accept the agent: ${problem}`);
  }

  /**
   * Counts a stream of an accepted client; it may dial its target, or learns the reason why not.
   *
   * @param cut Resets the stream when it is evicted for another client.
   */
  begin(client: Client, cut: Cut): StreamAccess {
    const { identity } = client;
    if (!this.#streams.take(identity, cut)) {
      const dial = () => Promise.reject(tooMany("Cannot open another stream"));
      return { dial, origins: this.#noOrigins, active() {}, done() {} };
    }
    this.#open.add(cut);
    const dial = this.#dialOf(client);
    const { pool, end } = this.#origins.lease(identity);
    const reserve: ReserveSocket = (doing, isFurther) => {
      this.#requireDescriptor(doing, identity, isFurther);
      return this.#track(identity, { evict: () => cut(evicted()) });
    };
    let isOver = false;
    let connected: TargetSocket | undefined;
    return {
      dial: async (host, port, signal) => {
        const socket = await dial(host, port, signal, identity, reserve);
        // A connection to an origin may outlive the stream that opened it.
        connected = this.#trackConnected(socket, identity, () => isOver ? socket.destroy() : cut(evicted()));
        return socket;
      },
      origins: pool,
      active: () => {
        this.#streams.touch(cut);
        if (connected !== undefined) this.#sockets.touch(connected);
      },
      done: () => {
        isOver = true;
        this.#open.delete(cut);
        this.#streams.release(cut);
        end();
      },
    };
  }

  /** Makes sure that there is a descriptor for one more socket; an attempt that can wait evicts nothing. */
  #requireDescriptor(doing: string, client: string, canWait: boolean): void {
    for (let evictions = 0; !this.#hasDescriptor(); evictions++) {
      if (evictions === MAX_EVICTIONS) return;
      if (!canWait && (this.#origins.shed(client, 1) > 0 || this.#sockets.evictFor(client, 1) > 0)) continue;
      throw new SallyportError(
        "limit_reached",
        `Cannot ${doing}: the program has too many files and connections open`,
      );
    }
  }

  /** Counts a socket that is being connected; returns a function that stops counting it. */
  #track(client: string, attempt: TargetSocket): () => void {
    if (this.#begun.size === 0) setImmediate(() => this.#begun.clear());
    this.#begun.add(attempt);
    this.#sockets.take(client, attempt);
    return () => {
      this.#begun.delete(attempt);
      this.#sockets.release(attempt);
    };
  }

  #hasDescriptor(): boolean {
    const lookups = Math.min(this.#lookups.count, RUNNING_LOOKUPS);
    return this.#descriptors.hasRoom(this.#sockets.count, this.#begun.size + lookups);
  }

  /** Counts a connected socket until it is closed. */
  #trackConnected(socket: Socket, client: string, evict: () => void): TargetSocket {
    const tracked = { evict };
    if (socket.destroyed) return tracked;
    this.#connected.set(socket, tracked);
    this.#sockets.take(client, tracked);
    socket.once("close", () => this.#sockets.release(tracked));
    return tracked;
  }

  #freed(socket: Socket): void {
    const tracked = this.#connected.get(socket);
    if (tracked !== undefined) this.#sockets.release(tracked);
  }

  #dialOf(client: Client): Dial {
    const refusal = this.refusalOf(client);
    if (refusal !== undefined) return () => Promise.reject(refusal);
    const entry = this.#find(client);
    return (typeof entry === "number" ? this.#own.get(entry) : undefined) ?? this.#common;
  }

  /**
   * Resets the open streams, so that no target mistakes a part for the whole, and closes the idle connections to
   * origins.
   */
  destroy(): void {
    for (const cut of this.#open) {
      cut(new SallyportError("going_away", "Cannot continue: the server is shutting down"));
    }
    this.#origins.destroy();
  }
}

function evicted(): SallyportError {
  return tooMany("Cannot keep the stream open", ", and this client has the most");
}

function tooMany(what: string, more = ""): SallyportError {
  return new SallyportError("limit_reached", `${what}: too many are open on the server${more}`);
}
