import type { SallyportError } from "../../shared/errors.ts";
import type { LimitFigures } from "../../shared/limits/shared_limit.ts";
import { MAX_LINKS } from "../../shared/protocol/messages.ts";
import type { AgentConnection, AgentSession } from "./agent_session.ts";
import { hasMost, noRoom, replaced, tooManyLinks } from "./registry_errors.ts";

/** Milliseconds of silence after which a link gives way to a new one of its own session: its path may be gone. */
const SILENT_MS = 1_000;

/** What makes a {@linkcode LinkAdmission}. */
interface LinkAdmissionInit {
  /** `max_connections`. */
  readonly total: number;
  /** What it costs an agent to lose a session: the cheapest is evicted first, and of several the oldest. */
  costOf(agent: AgentSession): number;
  /** Ends a session, to whose only link another certificate has more right; its place is free already. */
  evict(agent: AgentSession, error: SallyportError): void;
}

/**
 * Decides at the `hello` of a link whether it gets one of `max_connections` places (SPEC.md 3.4, 3.9).
 *
 * A single certificate may use all places. Once they are all in use, a session's only link takes the place of the newest
 * link of a session with several, whatever its certificate; where there is none, that of the only link of a session, of a
 * certificate with clearly more links. A further link takes only the place of a further one, of a certificate with
 * clearly more links. Before all that, a link takes the place of one of its own session that has been silent, so that an
 * agent whose path changed is not kept out by its own dead links.
 */
export class LinkAdmission {
  readonly #init: LinkAdmissionInit;
  /** The links that have a place, by certificate, the oldest first. */
  readonly #shares = new Map<string, Set<AgentConnection>>();
  #count = 0;
  #refused = 0;
  #evicted = 0;

  constructor(init: LinkAdmissionInit) {
    this.#init = init;
  }

  /** Links that have a place. */
  get count(): number {
    return this.#count;
  }

  /** How the places are shared, for metrics. */
  figures(): LimitFigures {
    let largestShare = 0;
    for (const { size } of this.#shares.values()) largestShare = Math.max(largestShare, size);
    const { total } = this.#init;
    return { total, used: this.#count, largestShare, refused: this.#refused, evicted: this.#evicted };
  }

  /** Gives a link of the session a place, and adds it to the session; or returns why there is none. */
  admit(agent: AgentSession, connection: AgentConnection): SallyportError | undefined {
    const refusal = this.#makeRoom(agent);
    if (refusal !== undefined) {
      this.#refused++;
      return refusal;
    }
    const { identity } = agent.peer;
    const share = this.#shares.get(identity);
    if (share === undefined) this.#shares.set(identity, new Set([connection]));
    else share.add(connection);
    this.#count++;
    agent.add(connection);
    return undefined;
  }

  /** Frees the place of a link; false if it has none, or none any more. */
  release(connection: AgentConnection): boolean {
    const { identity } = connection.peer;
    const share = this.#shares.get(identity);
    if (share?.delete(connection) !== true) return false;
    if (share.size === 0) this.#shares.delete(identity);
    this.#count--;
    connection.agent!.connections.delete(connection);
    return true;
  }

  #makeRoom(agent: AgentSession): SallyportError | undefined {
    const { total } = this.#init;
    const hasMaxLinks = agent.connections.size >= MAX_LINKS;
    if (!hasMaxLinks && this.#count < total) return undefined;
    const silent = silentLink(agent);
    if (silent !== undefined) return void this.#cut(silent, replaced());
    if (hasMaxLinks) return tooManyLinks();
    return this.#evictFor(agent) ? undefined : noRoom(total);
  }

  #evictFor(agent: AgentSession): boolean {
    const { identity } = agent.peer;
    const own = (this.#shares.get(identity)?.size ?? 0) + 1;
    const isFurther = agent.connections.size > 0;
    const error = hasMost(this.#init.total);
    const further = this.#largest(newestFurther, isFurther ? own : 0);
    if (further !== undefined) {
      this.#evicted++;
      this.#cut(further, error);
      return true;
    }
    const victim = isFurther ? undefined : this.#largest((links) => this.#cheapest(links), own);
    if (victim === undefined) return false;
    this.#evicted++;
    this.release(victim);
    this.#init.evict(victim.agent!, error);
    return true;
  }

  /** What `choose` finds in the largest share in which it finds something, of those above `minimum` links. */
  #largest(
    choose: (links: ReadonlySet<AgentConnection>) => AgentConnection | undefined,
    minimum: number,
  ): AgentConnection | undefined {
    let [found, most]: [AgentConnection | undefined, number] = [undefined, minimum];
    for (const links of this.#shares.values()) {
      const chosen = links.size > most ? choose(links) : undefined;
      if (chosen !== undefined) [found, most] = [chosen, links.size];
    }
    return found;
  }

  #cheapest(links: ReadonlySet<AgentConnection>): AgentConnection | undefined {
    let [found, least]: [AgentConnection | undefined, number] = [undefined, Infinity];
    for (const link of links) {
      const cost = this.#init.costOf(link.agent!);
      if (cost < least) [found, least] = [link, cost];
    }
    return found;
  }

  /** Takes the place of a link whose session continues without it. */
  #cut(connection: AgentConnection, error: SallyportError): void {
    this.release(connection);
    // Deferred until the new link is open: a session whose only link is replaced never is without one.
    queueMicrotask(() => connection.link!.cut(error));
  }
}

/** The newest link of a session that does not need it: it has others, or is over. */
function newestFurther(links: ReadonlySet<AgentConnection>): AgentConnection | undefined {
  return [...links].findLast(({ agent }) =>
    agent!.connections.size > 1 || agent!.session?.state === "closed"
  );
}

/** The link of the session that has been silent longest, if that is long. */
function silentLink({ connections }: AgentSession): AgentConnection | undefined {
  let [found, longest]: [AgentConnection | undefined, number] = [undefined, SILENT_MS];
  for (const connection of connections) {
    const { silence } = connection.link!;
    if (silence >= longest) [found, longest] = [connection, silence];
  }
  return found;
}
