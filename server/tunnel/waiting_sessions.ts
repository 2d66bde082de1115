import type { SallyportError } from "../../shared/errors.ts";
import { type LimitFigures, SharedLimit } from "../../shared/limits/shared_limit.ts";
import type { AgentLog } from "./agent_log.ts";
import type { AgentSession } from "./agent_session.ts";

/** What makes {@linkcode WaitingSessions}. */
interface WaitingSessionsInit {
  /** The most that wait. */
  readonly total: number;
  readonly log: Pick<AgentLog, "lost" | "resumed">;
  /** Ends one that waits: too many do. */
  giveUp(agent: AgentSession): void;
  /** One does not wait any more: it has a connection again. */
  resumed(agent: AgentSession): void;
}

/**
 * Sessions that wait for a connection (SPEC.md 3.7). When too many do, the certificate with the most of them loses its
 * oldest, also for a further one of its own: none ever waits without being counted.
 */
export class WaitingSessions {
  readonly #init: WaitingSessionsInit;
  readonly #limit: SharedLimit<AgentSession>;

  constructor(init: WaitingSessionsInit) {
    this.#init = init;
    const { total, giveUp: evict } = init;
    this.#limit = new SharedLimit({ total, whenFull: "evict", cost: () => 0, evict });
  }

  /** How they are shared, for metrics. */
  figures(): LimitFigures {
    return this.#limit.figures();
  }

  /** The number of links of a session changed. @param error Why one was lost. */
  linksChanged(agent: AgentSession, count: number, error: SallyportError | undefined): void {
    const { log } = this.#init;
    const { peer, session } = agent;
    const isWaiting = this.#limit.has(agent);
    if (count > 0 && isWaiting) {
      this.#limit.release(agent);
      log.resumed(peer, session!.streamCount);
      this.#init.resumed(agent);
    } else if (count === 0 && !isWaiting) {
      log.lost(peer, session!.streamCount, error);
      this.#limit.take(peer.identity, agent);
    }
  }

  /** A session is over. */
  remove(agent: AgentSession): void {
    this.#limit.release(agent);
  }
}
