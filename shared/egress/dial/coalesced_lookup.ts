import { SharedLimit } from "../../limits/shared_limit.ts";

/**
 * Looks a name up, as the system does. `signal` aborts when the answer is no longer needed; `client` is the client
 * that asks.
 */
export type Lookup = (name: string, signal?: AbortSignal, client?: string) => Promise<{ address: string }[]>;

/**
 * How many lookups run at once. Each takes a thread of the runtime until the name server answers or the system gives
 * up, after 10 s and more, and cannot be cancelled. There are 32 threads, and they read files too.
 */
const LIMIT = 16;

/** Options of {@linkcode createCoalescedLookup}. */
export interface CoalescedLookupOptions {
  /** Lookups at once. @default 16 */
  limit?: number;
  /** Whether several clients share the limit, so that each needs its share. @default true */
  isShared?: boolean;
}

/** A lookup that runs or waits for its turn. */
interface PendingLookup {
  readonly name: string;
  readonly answer: PromiseWithResolvers<{ address: string }[]>;
  /** How many requests wait for it, by client; it is in the queue of each client. */
  readonly waiting: Map<string, number>;
  started: boolean;
}

/**
 * Limits how many lookups run at once, and shares one lookup between all requests for the same name: a dead name
 * server then delays nothing but names. A request that aborts leaves the others waiting. A lookup that no request
 * waits for is not started, and one that runs is not shared with later requests.
 *
 * Clients take turns, and each may have as many lookups running as are free: a client that asks for names without an
 * answer does not keep the others from theirs.
 */
export function createCoalescedLookup(lookup: Lookup, options: CoalescedLookupOptions = {}): Lookup {
  const lookups = new CoalescedLookup(lookup, options);
  return (name, signal, client = "") => lookups.ask(name, signal, client);
}

class CoalescedLookup {
  readonly #lookup: Lookup;
  readonly #running: SharedLimit<PendingLookup>;
  /** Lookups that a request waits for, by name. */
  readonly #pending = new Map<string, PendingLookup>();
  /** Lookups that have not started, oldest first, by client; the client whose turn is next comes first. */
  readonly #queues = new Map<string, Set<PendingLookup>>();

  constructor(lookup: Lookup, { limit = LIMIT, isShared = true }: CoalescedLookupOptions) {
    this.#lookup = lookup;
    this.#running = new SharedLimit({ total: limit, whenFull: isShared ? "reserve" : "refuse" });
  }

  ask(name: string, signal: AbortSignal | undefined, client: string): Promise<{ address: string }[]> {
    const pending = this.#pending.get(name) ?? this.#add(name);
    pending.waiting.set(client, (pending.waiting.get(client) ?? 0) + 1);
    const { promise } = pending.answer;
    if (signal !== undefined) {
      const leave = () => this.#leave(pending, client);
      signal.addEventListener("abort", leave, { once: true });
      // A signal may live longer than the lookup.
      const forget = () => signal.removeEventListener("abort", leave);
      promise.then(forget, forget);
    }
    if (!pending.started) {
      this.#enqueue(pending, client);
      this.#startAllThatMay();
    }
    return promise;
  }

  #add(name: string): PendingLookup {
    const pending: PendingLookup = {
      name,
      answer: Promise.withResolvers(),
      waiting: new Map(),
      started: false,
    };
    this.#pending.set(name, pending);
    return pending;
  }

  /** A lookup for several clients is in the queue of each, so that none waits for another client's turn. */
  #enqueue(pending: PendingLookup, client: string): void {
    const queue = this.#queues.get(client);
    if (queue === undefined) this.#queues.set(client, new Set([pending]));
    else queue.add(pending);
  }

  #leave(pending: PendingLookup, client: string): void {
    const { waiting, started } = pending;
    const left = waiting.get(client)! - 1;
    if (left > 0) return void waiting.set(client, left);
    waiting.delete(client);
    // It must not take the turn of a client that no longer wants it.
    if (!started) this.#dequeue(pending, client);
    if (waiting.size > 0) return;
    this.#forget(pending);
    if (started) return;
    pending.answer.reject(new Error("it is no longer needed"));
  }

  #forget(pending: PendingLookup): void {
    if (this.#pending.get(pending.name) === pending) this.#pending.delete(pending.name);
  }

  #dequeue(pending: PendingLookup, client: string): void {
    const queue = this.#queues.get(client);
    queue?.delete(pending);
    if (queue?.size === 0) this.#queues.delete(client);
  }

  #startAllThatMay(): void {
    while (this.#startNext());
  }

  /** Starts a lookup of the next client that may have one more running. */
  #startNext(): boolean {
    for (const [client, queue] of this.#queues) {
      const [pending] = queue;
      if (pending === undefined || !this.#running.take(client, pending)) continue;
      // The client goes to the end of the line.
      this.#queues.delete(client);
      this.#queues.set(client, queue);
      for (const waiting of pending.waiting.keys()) this.#dequeue(pending, waiting);
      this.#start(pending);
      return true;
    }
    return false;
  }

  #start(pending: PendingLookup): void {
    pending.started = true;
    Promise.try(() => this.#lookup(pending.name)).then(pending.answer.resolve, pending.answer.reject)
      .finally(() => {
        this.#running.release(pending);
        this.#forget(pending);
        this.#startAllThatMay();
      });
  }
}
