import type { Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { ForwardContext } from "../../shared/forward/context.ts";
import { forward } from "../../shared/forward/forward.ts";
import { OriginPools } from "../../shared/forward/origin_pools.ts";
import type { Logger } from "../../shared/log.ts";
import { LocalStreams } from "../../shared/mux/local_streams.ts";
import type { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import type { EndOptions } from "../../shared/mux/outbox.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { OpeningMessage } from "../../shared/protocol/messages.ts";
import { createDialer } from "../../shared/targets/dial.ts";
import { createResolver, type Lookup, soleClientLookup } from "../../shared/targets/resolve.ts";
import { UnderWay } from "../../shared/targets/under_way.ts";
import { createDirectPolicy, type DirectPolicyOptions } from "./policy.ts";

/** What is named as the place where something is full. */
const HERE = "the agent";
/** Milliseconds without a byte after which a stream is ended, as on a server that nobody told otherwise. */
const IDLE_TIMEOUT = 600_000;
/** Look-ups of names at once, and targets that are being connected to: the same as on the server. */
const MAX_LOOKUPS = 256;
const MAX_DIALS = 1_024;
/** They are all for those whom the agent serves, whom nothing tells apart. */
const OWN = { where: HERE, isShared: false };

/** What makes {@linkcode Direct}. */
export interface DirectInit extends DirectPolicyOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Memory of all streams of the agent beyond their first window. */
  readonly budget: MemoryBudget;
  /** Who knows names. @default the system */
  readonly lookup?: Lookup | undefined;
}

/** Serves streams in the agent itself, by the same forwarding as the server's: what `bypass` keeps off the tunnel. */
export class Direct {
  readonly #clock: Clock;
  readonly #streams: LocalStreams;
  readonly #context: ForwardContext;

  constructor({ clock, log, budget, lookup = soleClientLookup(), ...rules }: DirectInit) {
    this.#clock = clock;
    const underWay = new UnderWay(MAX_DIALS, "connections to targets", OWN);
    const resolve = createResolver({
      lookup,
      underWay: new UnderWay(MAX_LOOKUPS, "look-ups of names", OWN),
      clock,
    });
    this.#context = {
      dial: createDialer({ policy: createDirectPolicy(rules), resolve, underWay, clock }),
      origins: new OriginPools().lease("").pool,
      clock,
      idleTimeoutMs: IDLE_TIMEOUT,
      onDone: ({ target, address, code, detail }) =>
        log.debug("went directly", { target, address, outcome: code ?? "ok", detail }),
    };
    this.#streams = new LocalStreams({
      clock,
      budget,
      where: HERE,
      stream: (stream) => forward(stream, this.#context),
      fault({ message, cause }) {
        const stack = cause instanceof Error ? cause.stack : undefined;
        log.error("a callback failed", { reason: message, stack });
      },
    });
  }

  /** Streams that are open. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /**
   * Opens a stream that is served here.
   * @throws SallyportError `going_away` while the agent stops, `limit_reached` when there are too many.
   */
  // deno-lint-ignore require-await -- what it throws has to be a rejection, as that of the tunnel is
  async openStream(
    opening: OpeningMessage,
    first: EndOptions & { bytes?: Uint8Array } = {},
  ): Promise<MuxStream> {
    return this.#streams.open(opening, first.bytes, first);
  }

  /** Takes no more streams, waits for those that are open for at most `timeout` milliseconds, and disconnects. */
  async drain(timeout: number): Promise<void> {
    const cancel = this.#clock.after(timeout, () => this.#cut());
    await this.#streams.leave();
    cancel();
    this.#cut();
  }

  #cut(): void {
    this.#streams.close(new SallyportError("going_away", "Cannot go on: the agent stopped", { at: "here" }));
    this.#context.origins.destroy();
  }
}
