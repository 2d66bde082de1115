import assert from "node:assert/strict";
import type { Chain } from "../programs/chain.ts";
import { eventually } from "../eventually.ts";
import type { FaultOrigins } from "./fault_origins.ts";
import { proxyClient } from "../clients/proxy_client.ts";
import { type Transfer, TRANSFERS } from "./transfers.ts";
import { within } from "../within.ts";

/** How a transfer ended: well, or with the error that its client got. */
export interface TransferResult {
  readonly kind: string;
  readonly error: string | undefined;
  /** When, on `performance.now()`. */
  readonly at: number;
}

/** Running transfers of all kinds, with small requests at the same time. */
export class Traffic implements AsyncDisposable {
  readonly #client: Deno.HttpClient;
  readonly #begun: Promise<void>[] = [];
  readonly #results: Promise<TransferResult>[] = [];
  readonly #smallRequests: Promise<void>;
  readonly #stop = new AbortController();
  #stopped = false;
  /** Transfers that have not ended yet. */
  running = 0;
  /** Small requests that got the right answer. */
  answered = 0;
  /** Status or error of the small requests that failed. */
  readonly refused: string[] = [];

  /** Starts `copies` transfers of each kind. */
  constructor(chain: Chain, readonly origins: FaultOrigins, copies = 2) {
    this.#client = proxyClient(chain.proxyUrl);
    for (let copy = 0; copy < copies; copy++) {
      for (const [kind, transfer] of Object.entries(TRANSFERS)) this.#start(chain, kind, transfer);
    }
    this.#smallRequests = this.#sendSmallRequests();
  }

  /** Resolves when every transfer has moved bytes; rejects when one ended before. */
  async flowing(): Promise<void> {
    await within(15_000, Promise.all(this.#begun), "every transfer moves bytes");
  }

  /**
   * How every transfer ended.
   *
   * @throws AssertionError When a client or a target took an incomplete transfer for a complete one.
   */
  async results(ms = 30_000): Promise<TransferResult[]> {
    const results = await within(ms, Promise.all(this.#results), "the end of every transfer");
    this.#stopped = true;
    await within(15_000, this.#smallRequests, "the end of the small requests");
    return results;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#stop.abort();
    await Promise.allSettled([...this.#results, this.#smallRequests]);
    this.#client.close();
  }

  #start(chain: Chain, kind: string, transfer: Transfer): void {
    const begun = Promise.withResolvers<void>();
    const context = {
      origins: this.origins,
      proxyPort: chain.proxyPort,
      client: this.#client,
      signal: this.#stop.signal,
    };
    const result = transfer({ ...context, begun: () => begun.resolve() }).then(
      () => ({ kind, error: undefined, at: performance.now() }),
      (reason) => {
        if (reason instanceof assert.AssertionError) throw reason;
        return { kind, error: String(reason), at: performance.now() };
      },
    );
    const tooEarly = result.then(({ error }) => {
      if (error !== undefined) throw new Error(`${kind} ended before any byte arrived: ${error}`);
    });
    this.running++;
    result.finally(() => this.running--).catch(() => {});
    this.#begun.push(Promise.race([begun.promise, tooEarly]));
    this.#results.push(result);
    result.catch(() => {}); // reported by `results`
    this.#begun.at(-1)!.catch(() => {}); // reported by `flowing`
  }

  async #sendSmallRequests(): Promise<void> {
    for (let number = 0; !this.#stopped; number++) {
      try {
        const path = `/small/${number}`;
        const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(15_000)]);
        const response = await fetch(`http://${this.origins.http.host}${path}`, {
          client: this.#client,
          signal,
        });
        const text = await response.text();
        if (response.status === 200) assert.equal(text, path);
        else this.refused.push(`${response.status} ${response.headers.get("proxy-status")}`);
        if (response.status === 200) this.answered++;
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        this.refused.push(String(error));
      }
    }
  }
}

/** Asserts that every transfer ended with an error. */
export function assertAllBroken(results: readonly TransferResult[], origins: FaultOrigins): void {
  assert.deepEqual(results.filter(({ error }) => error === undefined), [], "no client saw a good end");
  assert.deepEqual(origins.falseEnds, [], "no target took a broken transfer for a complete one");
}

/** Asserts that every transfer was complete. */
export function assertAllComplete(results: readonly TransferResult[], origins: FaultOrigins): void {
  assert.deepEqual(results.filter(({ error }) => error !== undefined), [], "every transfer is complete");
  assert.deepEqual(origins.falseEnds, []);
}

/** Waits until the targets have seen the end of every transfer. */
export async function assertTargetsClosed(origins: FaultOrigins): Promise<void> {
  await eventually("every target saw its transfer end", () => assert.equal(origins.open, 0));
  assert.deepEqual(origins.falseEnds, [], "no target took a broken transfer for a complete one");
}
