import { forward } from "../../../shared/egress/forward.ts";
import type { ForwardContext } from "../../../shared/egress/context.ts";
import type { TransferProgress, TransferResult } from "../../../shared/egress/accounting.ts";
import { createOriginPool } from "../../../shared/egress/http/origin_pool.ts";
import { createDialer } from "../../../shared/egress/dial/dial.ts";
import { createResolver } from "../../../shared/egress/dial/resolve.ts";
import { createTargetPolicy } from "../../../server/targets/target_policy.ts";
import type { SessionOptions } from "../../../shared/mux/options.ts";
import type { EndOptions } from "../../../shared/mux/stream/stream.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { HeaderList, OpeningMessage } from "../../../shared/protocol/messages.ts";
import { collect, type Collected } from "../mux/collect.ts";
import { eventually } from "../eventually.ts";
import { ManualClock } from "../manual_clock.ts";
import { SocketOrigin } from "./socket_origin.ts";
import { type StreamPairs, streamPairs } from "../mux/stream_pair.ts";
import { within } from "../within.ts";

/**
 * The server's forwarding between an in-memory session and an origin of raw sockets. Every name leads to the
 * origin's address, except `missing.example`, which has none, and `denied.example`, which the rules deny.
 */
export class Forwarding {
  readonly clock = new ManualClock();
  /** Results of streams that are over. */
  readonly results: TransferResult[] = [];
  /** How often streams reported activity. */
  active = 0;
  /** Streams that were open for 40 s. */
  readonly longLived: TransferProgress[] = [];
  /** The server's end of the latest stream. */
  far: MuxStream | undefined;
  readonly #context: ForwardContext;

  private constructor(readonly origin: SocketOrigin, readonly pairs: StreamPairs) {
    const resolve = createResolver({
      lookup: (name) =>
        name === "missing.example"
          ? Promise.reject(Object.assign(new Error("ENOTFOUND"), { code: "ENOTFOUND" }))
          : Promise.resolve([{ address: "127.0.0.1" }]),
    });
    const policy = createTargetPolicy({ allow: ["127.0.0.1"], deny: ["denied.example"] });
    const dial = createDialer({ policy, resolve });
    this.#context = {
      ...{ dial, clock: this.clock, idleTimeoutMs: 60_000, origins: createOriginPool() },
      longLived: {
        watch: (callback) => this.clock.after(40_000, callback),
        onOpen: (progress) => void this.longLived.push(progress),
      },
      onActive: () => void this.active++,
      onDone: (result) => void this.results.push(result),
    };
  }

  /** Runs `body`, and asserts that no stream and no timer is left. */
  static async run(
    body: (forwarding: Forwarding) => Promise<void>,
    options: Partial<SessionOptions> = {},
  ): Promise<void> {
    await using origin = await SocketOrigin.start();
    const self = new Forwarding(origin, await streamPairs(options));
    try {
      await body(self);
      await eventually("no stream and no timer is left", () => {
        const { agent, server } = self.pairs;
        const left = [agent.streamCount, server.streamCount, self.clock.timers];
        if (left.some((count) => count > 0)) throw new Error(`streams and timers: ${left}`);
      });
    } finally {
      self.#context.origins.destroy();
    }
    await self.pairs.close();
  }

  /** Opens a stream and forwards it; returns the agent's end. */
  async open(opening: OpeningMessage, bytes?: Uint8Array, options?: EndOptions): Promise<MuxStream> {
    const { near, far } = await this.pairs.open(opening, bytes, options);
    this.far = far;
    forward(far, this.#context);
    return near;
  }

  /** Opens a stream for an HTTP request to the origin. */
  http(
    request: { method?: string; path?: string; headers?: HeaderList; host?: string; port?: number },
    bytes?: Uint8Array,
    options: EndOptions = { end: true },
  ): Promise<MuxStream> {
    const payload = {
      ...{ method: "GET", path: "/", headers: ["Host", "a.example"], host: "a.example" },
      ...{ port: this.origin.port },
      ...request,
    };
    return this.open({ type: "http_request", payload }, bytes, options);
  }

  /** Waits for the result of a stream. */
  async result(count = 1): Promise<TransferResult> {
    return await eventually("a result", () => {
      const found = this.results[count - 1];
      if (!found) throw new Error(`only ${this.results.length} results`);
      return found;
    });
  }
}

/** Reads the agent's end of a stream to its end. */
export function responseOf(stream: MuxStream): Promise<Collected & { text: string }> {
  const read = collect(stream).then((got) => ({ ...got, text: new TextDecoder().decode(got.bytes) }));
  return within(5_000, read, "the answer's end");
}
