import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import { SallyportError } from "../shared/errors.ts";
import { type ClientEntry, createClientRules } from "../shared/clients/rules.ts";
import type { ClientNames } from "../shared/clients/pattern.ts";
import { createOriginPool, type OriginPool } from "../shared/forward/origin_pool.ts";
import { OriginPools } from "../shared/forward/origin_pools.ts";
import { type LimitFigures, SharedLimit } from "../shared/limits/shared_limit.ts";
import { DescriptorRoom } from "../shared/net/descriptor_room.ts";
import { systemClock } from "../shared/system_clock.ts";
import { createDialer, type Dial, type SocketRoom } from "../shared/targets/dial.ts";
import type { OwnPorts } from "../shared/targets/own_ports.ts";
import { createTargetPolicy } from "./targets/policy.ts";
import { createResolver, type Lookup } from "../shared/targets/resolve.ts";
import { UnderWay } from "../shared/targets/under_way.ts";

/** Look-ups at once: each takes a thread for as long as the name servers are silent. */
const MAX_LOOKUPS = 256;
/** Connections to targets that are under way at once: each takes a socket for up to 10 s. */
const MAX_DIALS = 1_024;

/** Streams of all connections together, in `max_streams`. */
const STREAMS_FACTOR = 8;
/** Look-ups that run at once, each with a descriptor of its own. */
const RUNNING_LOOKUPS = 16;
/** Descriptors that sockets to targets leave to new connections of agents, and to those who have fewer. */
const SPARE_DESCRIPTORS = 12;
/** Milliseconds for which it is known that descriptors are short. */
const SHORT_MS = 10;
/** The most sockets to targets that give way to one more. */
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
  /** Tells whether there are descriptors left. @default those of the process */
  readonly descriptors?: DescriptorRoom | undefined;
}

/** Who wants to go somewhere. */
export interface Client extends ClientNames {
  /** Of its certificate: tells it from others. */
  readonly fingerprint: string;
}

/** Ends a stream. */
type Cut = (error: SallyportError) => void;

/** A socket to a target, connected or not. */
interface Holder {
  /** Ends it for a socket of another client. */
  giveWay(): void;
}

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
  readonly #origins = new OriginPools({ onEvict: (socket) => this.#freed(socket) });
  /** For streams that are refused: a connection that is kept would serve them all the same. */
  readonly #noOrigins = createOriginPool();
  readonly #streams: SharedLimit<Cut>;
  /** Sockets to targets, of which each has a descriptor or is about to: only who has one can give one back. */
  readonly #sockets = new SharedLimit<Holder>({
    total: Infinity,
    whenFull: "evict",
    evict: (holder) => holder.giveWay(),
  });
  /** Those that are connected. */
  readonly #connected = new WeakMap<Socket, Holder>();
  /** Sockets that were begun in this turn of the event loop: they may not have their descriptors yet. */
  readonly #begun = new Set<Holder>();
  readonly #descriptors: DescriptorRoom;
  readonly #lookups = new UnderWay(MAX_LOOKUPS, "look-ups of names");
  readonly #dials = new UnderWay(MAX_DIALS, "connections to targets");

  /** @throws SallyportError `bad_request` for a pattern or a target that cannot be read. */
  constructor(options: DestinationsOptions) {
    const { targets, clients, ownPorts, maxStreams, lookup, descriptors } = options;
    this.#descriptors = descriptors ??
      new DescriptorRoom(systemClock, undefined, SPARE_DESCRIPTORS, SHORT_MS);
    this.#streams = new SharedLimit({
      total: STREAMS_FACTOR * maxStreams,
      whenFull: "evict",
      evict: (cut) => cut(gaveWay()),
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
    const streams = this.#streams.figures();
    return {
      streams: { ...streams, evicted: streams.evicted + this.#sockets.figures().evicted },
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
    if (!this.#streams.take(fingerprint, cut)) {
      const dial = () => Promise.reject(tooMany("Cannot serve another stream"));
      return { dial, origins: this.#noOrigins, done() {} };
    }
    const dial = this.#dialOf(client);
    const { pool, end } = this.#origins.lease(fingerprint);
    const room: SocketRoom = (doing, isFurther) => {
      this.#requireDescriptor(doing, fingerprint, isFurther);
      return this.#begin(fingerprint, { giveWay: () => cut(gaveWay()) });
    };
    let isOver = false;
    return {
      dial: async (host, port, signal) => {
        const socket = await dial(host, port, signal, fingerprint, room);
        // An origin's connection may outlive the stream that needed it first.
        this.#hold(socket, fingerprint, () => isOver ? socket.destroy() : cut(gaveWay()));
        return socket;
      },
      origins: pool,
      done: () => {
        isOver = true;
        this.#streams.release(cut);
        end();
      },
    };
  }

  /** Makes sure that there is a descriptor for one more socket; one that can wait makes no other give way. */
  #requireDescriptor(doing: string, client: string, canWait: boolean): void {
    for (let gaveWay = 0; !this.#hasDescriptor(); gaveWay++) {
      if (gaveWay === GIVE_WAY) return;
      if (!canWait && (this.#origins.shed(client, 1) > 0 || this.#sockets.makeWay(client, 1) > 0)) continue;
      throw new SallyportError(
        "limit_reached",
        `Cannot ${doing}: the program has too many files and connections open`,
      );
    }
  }

  /** Counts a socket that is being connected; returns what ends that. */
  #begin(client: string, attempt: Holder): () => void {
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
  #hold(socket: Socket, client: string, giveWay: () => void): void {
    if (socket.destroyed) return;
    const holder = { giveWay };
    this.#connected.set(socket, holder);
    this.#sockets.take(client, holder);
    socket.once("close", () => this.#sockets.release(holder));
  }

  #freed(socket: Socket): void {
    const holder = this.#connected.get(socket);
    if (holder !== undefined) this.#sockets.release(holder);
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

function gaveWay(): SallyportError {
  return tooMany("Cannot go on with the stream", ", and this client holds the most");
}

function tooMany(what: string, more = ""): SallyportError {
  return new SallyportError("limit_reached", `${what}: too many are open on the server${more}`);
}
