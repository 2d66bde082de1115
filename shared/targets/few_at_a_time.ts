import type { Lookup } from "./resolve.ts";

/**
 * How many names are asked for at once. Each takes a thread of the runtime until the name server answers or the
 * system gives up, after 10 s and more, and cannot be called back. There are 32 threads, and files are read with
 * them too.
 */
const LIMIT = 16;

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
 * @param limit Look-ups at once. @default 16
 */
export function fewAtATime(lookup: Lookup, limit = LIMIT): Lookup {
  const lookups = new Lookups(lookup, limit);
  return (name, gone) => lookups.ask(name, gone);
}

class Lookups {
  readonly #lookup: Lookup;
  readonly #limit: number;
  /** Questions that somebody waits for, the oldest first. */
  readonly #questions = new Map<string, Question>();
  #running = 0;

  constructor(lookup: Lookup, limit: number) {
    this.#lookup = lookup;
    this.#limit = limit;
  }

  ask(name: string, gone: AbortSignal | undefined): Promise<{ address: string }[]> {
    const question = this.#questions.get(name) ?? this.#add(name);
    question.waiting++;
    gone?.addEventListener("abort", () => this.#leave(question), { once: true });
    this.#startSome();
    return question.answer.promise;
  }

  #add(name: string): Question {
    const question: Question = { name, answer: Promise.withResolvers(), waiting: 0, started: false };
    this.#questions.set(name, question);
    return question;
  }

  #leave(question: Question): void {
    if (--question.waiting > 0) return;
    this.#forget(question);
    if (!question.started) question.answer.reject(new Error("nobody wants it any more"));
  }

  #forget(question: Question): void {
    if (this.#questions.get(question.name) === question) this.#questions.delete(question.name);
  }

  #startSome(): void {
    for (const question of this.#questions.values()) {
      if (this.#running >= this.#limit) return;
      if (!question.started) this.#start(question);
    }
  }

  #start(question: Question): void {
    question.started = true;
    this.#running++;
    Promise.try(() => this.#lookup(question.name)).then(question.answer.resolve, question.answer.reject)
      .finally(() => {
        this.#running--;
        this.#forget(question);
        this.#startSome();
      });
  }
}
