import type { Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { ForwardContext } from "../../shared/egress/context.ts";
import { forward } from "../../shared/egress/forward.ts";
import { OriginPools } from "../../shared/egress/http/origin_pools.ts";
import { callbackFields, type Logger } from "../../shared/log.ts";
import { LocalStreams } from "../../shared/mux/local/local_streams.ts";
import type { MemoryBudget } from "../../shared/mux/flow/memory_budget.ts";
import type { EndOptions, MuxStream } from "../../shared/mux/stream/stream.ts";
import type { OpeningMessage } from "../../shared/protocol/messages.ts";
import { createDialer } from "../../shared/egress/dial/dial.ts";
import { createResolver, type Lookup, soleClientLookup } from "../../shared/egress/dial/resolve.ts";
import { ConcurrencyLimit } from "../../shared/egress/dial/concurrency_limit.ts";
import { createDirectPolicy, type DirectPolicyOptions } from "./direct_policy.ts";

/** Where a limit was reached, in errors. */
const HERE = "the agent";
/** Milliseconds without a byte after which a stream is closed; the server's default. */
const IDLE_TIMEOUT = 600_000;
/** Concurrent lookups and dials; the same as on the server. */
const MAX_LOOKUPS = 256;
const MAX_DIALS = 1_024;
/** The limits are not shared between clients: the agent does not distinguish them. */
const OWN = { where: HERE, isShared: false };

/** What {@linkcode DirectStreams} needs. */
export interface DirectStreamsInit extends DirectPolicyOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Memory of all streams beyond their first window. */
  readonly budget: MemoryBudget;
  /** Looks up names. @default the system's resolver */
  readonly lookup?: Lookup | undefined;
}

/** Serves streams to targets in `bypass` in the agent itself, with the same forwarding as the server. */
export class DirectStreams {
  readonly #clock: Clock;
  readonly #streams: LocalStreams;
  readonly #context: ForwardContext;

  constructor({ clock, log, budget, lookup = soleClientLookup(), ...rules }: DirectStreamsInit) {
    this.#clock = clock;
    const dials = new ConcurrencyLimit(MAX_DIALS, "connections to targets", OWN);
    const resolve = createResolver({
      lookup,
      concurrency: new ConcurrencyLimit(MAX_LOOKUPS, "name lookups", OWN),
      clock,
    });
    this.#context = {
      dial: createDialer({ policy: createDirectPolicy(rules), resolve, concurrency: dials, clock }),
      origins: new OriginPools().lease("").pool,
      clock,
      idleTimeoutMs: IDLE_TIMEOUT,
      onDone: ({ target, address, code, detail }) =>
        log.debug("direct stream closed", { target, address, code: code ?? "ok", detail }),
    };
    this.#streams = new LocalStreams({
      clock,
      budget,
      where: HERE,
      stream: (stream) => forward(stream, this.#context),
      consumerError: (error) => log.error("callback failed", callbackFields(error)),
    });
  }

  /** Open streams. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /**
   * Opens a stream that the agent serves itself.
   * @throws SallyportError `going_away` while the agent stops, `limit_reached` if there are too many.
   */
  // deno-lint-ignore require-await -- errors must be rejections, as in the tunnel
  async openStream(
    opening: OpeningMessage,
    first: EndOptions & { bytes?: Uint8Array } = {},
  ): Promise<MuxStream> {
    return this.#streams.open(opening, first.bytes, first);
  }

  /** Accepts no new streams, waits at most `timeout` milliseconds for open ones, and disconnects. */
  async drain(timeout: number): Promise<void> {
    const cancel = this.#clock.after(timeout, () => this.#cut());
    await this.#streams.drain();
    cancel();
    this.#cut();
  }

  #cut(): void {
    this.#streams.close(
      new SallyportError("going_away", "Cannot continue: the agent stopped", { at: "here" }),
    );
    this.#context.origins.destroy();
  }
}
