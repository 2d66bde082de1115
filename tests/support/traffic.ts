import assert from "node:assert/strict";
import type { Chain } from "./chain.ts";
import { eventually } from "./eventually.ts";
import type { FaultOrigins } from "./fault_origins.ts";
import { proxyClient } from "./proxy_client.ts";
import { type Transfer, TRANSFERS } from "./transfers.ts";
import { within } from "./within.ts";

/** How a transfer ended: well, or with what its client was told. */
export interface Outcome {
  readonly kind: string;
  readonly error: string | undefined;
  /** When, on `performance.now()`. */
  readonly at: number;
}

/** Transfers of all kinds under way, and small requests beside them. */
export class Traffic implements AsyncDisposable {
  readonly #client: Deno.HttpClient;
  readonly #begun: Promise<void>[] = [];
  readonly #outcomes: Promise<Outcome>[] = [];
  readonly #gets: Promise<void>;
  readonly #stop = new AbortController();
  #stopped = false;
  /** Transfers whose end was not told yet. */
  running = 0;
  /** Small requests that were answered rightly. */
  answered = 0;
  /** What those were told that were not. */
  readonly refused: string[] = [];

  /** Starts `copies` transfers of each kind. */
  constructor(chain: Chain, readonly origins: FaultOrigins, copies = 2) {
    this.#client = proxyClient(chain.proxyUrl);
    for (let copy = 0; copy < copies; copy++) {
      for (const [kind, transfer] of Object.entries(TRANSFERS)) this.#start(chain, kind, transfer);
    }
    this.#gets = this.#keepAsking();
  }

  /** Resolves when every transfer has moved bytes; rejects when one ended before. */
  async flowing(): Promise<void> {
    await within(15_000, Promise.all(this.#begun), "every transfer moves bytes");
  }

  /**
   * How every transfer ended.
   *
   * @throws AssertionError when a client or a target took something for whole that was not.
   */
  async outcomes(ms = 30_000): Promise<Outcome[]> {
    const outcomes = await within(ms, Promise.all(this.#outcomes), "the end of every transfer");
    this.#stopped = true;
    await within(15_000, this.#gets, "the end of the small requests");
    return outcomes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#stop.abort();
    await Promise.allSettled([...this.#outcomes, this.#gets]);
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
    const outcome = transfer({ ...context, begun: () => begun.resolve() }).then(
      () => ({ kind, error: undefined, at: performance.now() }),
      (reason) => {
        if (reason instanceof assert.AssertionError) throw reason;
        return { kind, error: String(reason), at: performance.now() };
      },
    );
    const tooSoon = outcome.then(({ error }) => {
      if (error !== undefined) throw new Error(`${kind} ended before a byte came: ${error}`);
    });
    this.running++;
    outcome.finally(() => this.running--).catch(() => {});
    this.#begun.push(Promise.race([begun.promise, tooSoon]));
    this.#outcomes.push(outcome);
    outcome.catch(() => {}); // `outcomes` tells
    this.#begun.at(-1)!.catch(() => {}); // `flowing` tells
  }

  async #keepAsking(): Promise<void> {
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
export function assertAllBroken(outcomes: readonly Outcome[], origins: FaultOrigins): void {
  assert.deepEqual(outcomes.filter(({ error }) => error === undefined), [], "nobody was told of a good end");
  assert.deepEqual(origins.deceived, [], "no target took a broken transfer for a whole one");
}

/** Asserts that every transfer ended well. */
export function assertAllWhole(outcomes: readonly Outcome[], origins: FaultOrigins): void {
  assert.deepEqual(outcomes.filter(({ error }) => error !== undefined), [], "every transfer is whole");
  assert.deepEqual(origins.deceived, []);
}

/** Asserts that the targets saw the end of every transfer. */
export async function assertTargetsLeft(origins: FaultOrigins): Promise<void> {
  await eventually("every target saw its transfer end", () => assert.equal(origins.open, 0));
  assert.deepEqual(origins.deceived, [], "no target took a broken transfer for a whole one");
}
