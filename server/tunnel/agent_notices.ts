import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { AgentSession } from "./agent_session.ts";

/** Milliseconds for which changes are gathered before the other agents are notified: one message per change is quadratic. */
const DELAY_MS = 100;

/** What {@linkcode AgentNotices} need. */
interface AgentNoticesInit {
  readonly clock: Clock;
  /** The sessions of all agents. */
  readonly sessions: Iterable<AgentSession> & { readonly size: number };
  /** What the server serves now. */
  status(): { readonly agents: number; readonly streams: number };
}

/** Sends agents the number of agents where it changed for them: the last one may stop the servers. */
export class AgentNotices {
  readonly #init: AgentNoticesInit;
  /** Set while changes are gathered. */
  #cancel: CancelTimer | undefined;

  constructor(init: AgentNoticesInit) {
    this.#init = init;
  }

  /** The number of agents may have changed: sends it a little later. */
  changed(): void {
    const { clock, sessions } = this.#init;
    if (sessions.size === 0) return this.stop();
    this.#cancel ??= clock.after(DELAY_MS, () => {
      this.#cancel = undefined;
      const { agents } = this.#init.status();
      for (const session of sessions) {
        if (session.reportedAgents !== agents) this.send(session);
      }
    });
  }

  /** Sends one agent what the server serves now. */
  send(agent: AgentSession): void {
    if (agent.session!.state !== "open") return;
    const status = this.#init.status();
    agent.reportedAgents = status.agents;
    agent.session!.sendStatus(status);
  }

  /** Sends nothing more of what was gathered. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
