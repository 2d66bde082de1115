import { MemoryBudget } from "../../../shared/mux/flow/memory_budget.ts";
import type { SessionOptions } from "../../../shared/mux/options.ts";
import { RefusalLog } from "../../../server/tunnel/refusal_log.ts";
import { SessionRegistry } from "../../../server/tunnel/session_registry.ts";
import { LogNotes } from "../log_notes.ts";
import { ManualClock } from "../manual_clock.ts";
import { within } from "../within.ts";
import { MemoryTransport } from "./memory_transport.ts";
import { RawPeer } from "./raw_peer.ts";
import { type SessionEnd, sessionEnd } from "./session_pair.ts";

const PEER = {
  ...{ commonName: "laptop", serial: "1f", notAfter: new Date(0) },
  names: { dns: [], uris: [], addresses: [] },
  chain: [],
};

/** A server's sessions on a manual clock, to which agents of several certificates connect. */
export class RegistryScene {
  readonly log = new LogNotes();
  readonly clock = new ManualClock();
  readonly refusals = new RefusalLog({ log: this.log, clock: this.clock });
  readonly registry: SessionRegistry;

  constructor(maxConnections: number, session: Partial<SessionOptions> = {}) {
    const { log, clock, refusals } = this;
    this.registry = new SessionRegistry({
      ...{ log, refusals, budget: new MemoryBudget(0), session, clock, maxConnections },
    });
    this.registry.listen({ stream: (stream) => stream.resume() });
  }

  /** An agent whose session is open. @param id Of its process. */
  async connect(identity: string, id: string): Promise<SessionEnd> {
    const [near, far] = MemoryTransport.pair();
    const agent = sessionEnd(near, "dialer", { id });
    this.registry.accept(far, { ...PEER, identity });
    await within(5_000, agent.opened, "the session opens");
    return agent;
  }

  /** A connection of an accepted certificate that has sent nothing yet. */
  dial(identity: string): RawPeer {
    const [near, far] = MemoryTransport.pair();
    this.registry.accept(far, { ...PEER, identity });
    return new RawPeer(near);
  }

  /** A link whose `hello`, with these members, was answered by one. */
  async link(identity: string, hello: object): Promise<RawPeer> {
    const peer = this.dial(identity);
    peer.hello(hello);
    await peer.next("hello");
    return peer;
  }

  /** A link of a new session that has a stream, so that it waits for another link once this one is lost. */
  async needed(identity: string, session: string): Promise<RawPeer> {
    const peer = await this.link(identity, { session });
    peer.send("connect_request", { stream: 1, host: "a", port: 1 });
    await peer.settled();
    return peer;
  }

  /** Messages of log lines. */
  logged(message: string): number {
    return this.log.notes.filter((note) => note.message === message).length;
  }
}

/** Ends an agent's session in order. */
export async function leave({ session, closed }: SessionEnd): Promise<void> {
  session.close("going_away", "done");
  await within(5_000, closed, "the session closes");
  await MemoryTransport.settled();
}

/** Cuts a peer's connection. */
export async function lose(peer: RawPeer): Promise<void> {
  peer.abort();
  await within(5_000, peer.closed, "the connection closes");
  await MemoryTransport.settled();
}
