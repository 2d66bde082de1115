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

/**
 * Sends agents the number of agents where it changed for them: the last one may stop the servers. One that has no
 * connection is notified once it has one: messages for it would only wait, without end.
 */
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
      const status = this.#init.status();
      for (const session of sessions) send(session, status);
    });
  }

  /** Sends one agent now what the server serves, if it does not know the number of agents. */
  notify(agent: AgentSession): void {
    send(agent, this.#init.status());
  }

  /** Sends nothing more of what was gathered. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

function send(agent: AgentSession, status: ReturnType<AgentNoticesInit["status"]>): void {
  if (agent.reportedAgents === status.agents || !agent.isReachable) return;
  agent.reportedAgents = status.agents;
  agent.session!.sendStatus(status);
}
