import { SharedLimit } from "../limits/shared_limit.ts";
import type { Lookup } from "./resolve.ts";

/**
 * How many names are asked for at once. Each takes a thread of the runtime until the name server answers or the
 * system gives up, after 10 s and more, and cannot be called back. There are 32 threads, and files are read with
 * them too.
 */
const LIMIT = 16;

/** What can be set about {@linkcode fewAtATime}. */
export interface FewAtATimeOptions {
  /** Look-ups at once. @default 16 */
  limit?: number;
  /** Whether there are clients that must not take look-ups from each other. @default true */
  isShared?: boolean;
}

interface Question {
  readonly name: string;
  readonly answer: PromiseWithResolvers<{ address: string }[]>;
  waiting: number;
  started: boolean;
}

/**
 * Makes of a look-up one that asks for few names at a time, and once for those who want the same one: a dead name
 * server then harms nothing but names. Who aborts while others wait leaves them waiting; a question that nobody
 * waits for is not asked, or not asked again when it is wanted later.
 *
 * Clients take turns, and each may have as many look-ups running as are free: whoever asks for names that nobody
 * answers keeps no other client from an answer.
 */
export function fewAtATime(lookup: Lookup, options: FewAtATimeOptions = {}): Lookup {
  const lookups = new Lookups(lookup, options);
  return (name, gone, client = "") => lookups.ask(name, gone, client);
}

class Lookups {
  readonly #lookup: Lookup;
  readonly #running: SharedLimit<Question>;
  /** Questions that somebody waits for. */
  readonly #questions = new Map<string, Question>();
  /** Questions that wait for their turn, the oldest first, by client; whose turn is next stands first. */
  readonly #queues = new Map<string, Set<Question>>();

  constructor(lookup: Lookup, { limit = LIMIT, isShared = true }: FewAtATimeOptions) {
    this.#lookup = lookup;
    this.#running = new SharedLimit({ total: limit, whenFull: isShared ? "reserve" : "refuse" });
  }

  ask(name: string, gone: AbortSignal | undefined, client: string): Promise<{ address: string }[]> {
    const question = this.#questions.get(name) ?? this.#add(name);
    question.waiting++;
    gone?.addEventListener("abort", () => this.#leave(question), { once: true });
    if (!question.started) {
      this.#enqueue(question, client);
      this.#startSome();
    }
    return question.answer.promise;
  }

  #add(name: string): Question {
    const question: Question = { name, answer: Promise.withResolvers(), waiting: 0, started: false };
    this.#questions.set(name, question);
    return question;
  }

  /** A question of several clients waits in the queue of each: none has to wait for the turn of another. */
  #enqueue(question: Question, client: string): void {
    const queue = this.#queues.get(client);
    if (queue === undefined) this.#queues.set(client, new Set([question]));
    else queue.add(question);
  }

  #leave(question: Question): void {
    if (--question.waiting > 0) return;
    this.#forget(question);
    if (question.started) return;
    this.#dequeue(question);
    question.answer.reject(new Error("nobody wants it any more"));
  }

  #forget(question: Question): void {
    if (this.#questions.get(question.name) === question) this.#questions.delete(question.name);
  }

  #dequeue(question: Question): void {
    for (const [client, queue] of this.#queues) {
      queue.delete(question);
      if (queue.size === 0) this.#queues.delete(client);
    }
  }

  #startSome(): void {
    while (this.#startNext());
  }

  /** Starts a question of the next client that may have one more running. */
  #startNext(): boolean {
    for (const [client, queue] of this.#queues) {
      const [question] = queue;
      if (question === undefined || !this.#running.take(client, question)) continue;
      // Behind all others from now on.
      this.#queues.delete(client);
      this.#queues.set(client, queue);
      this.#dequeue(question);
      this.#start(question);
      return true;
    }
    return false;
  }

  #start(question: Question): void {
    question.started = true;
    Promise.try(() => this.#lookup(question.name)).then(question.answer.resolve, question.answer.reject)
      .finally(() => {
        this.#running.release(question);
        this.#forget(question);
        this.#startSome();
      });
  }
}
