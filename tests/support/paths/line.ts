/** What one direction of a simulated path does. */
export interface LineOptions {
  /** Milliseconds that everything takes, besides its time in the queue. */
  readonly delayMs: number;
  /** Bits per second in millions. @default {Infinity} */
  readonly mbit?: number;
}

interface Waiting<T> {
  readonly item: T;
  readonly dueAt: number;
}

/** Takes the waiting items off an array in batches, since one `shift` each is slow in long queues. */
const BATCH = 1024;

/**
 * One direction of a path with a delay and a rate: items leave in the order in which they came, each when the rate
 * allows it and after the delay. The queue in front of the rate is {@linkcode backlog}; whether it is limited is up to
 * the caller.
 */
export class Line<T> {
  readonly #bytesPerMs: number;
  #waiting: Waiting<T>[] = [];
  #at = 0;
  /** When the last bit of everything taken so far has left the queue. */
  #freeAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly options: LineOptions, readonly deliver: (item: T) => void) {
    this.#bytesPerMs = (options.mbit ?? Infinity) * 125;
  }

  /** Bytes that wait for the rate, without those that are only delayed. */
  get backlog(): number {
    const waitMs = this.#freeAt - performance.now();
    return waitMs > 0 ? waitMs * this.#bytesPerMs : 0;
  }

  /** Takes an item of that size. */
  take(item: T, bytes: number): void {
    this.#freeAt = Math.max(this.#freeAt, performance.now()) + bytes / this.#bytesPerMs;
    this.#waiting.push({ item, dueAt: this.#freeAt + this.options.delayMs });
    if (this.#timer === undefined) this.#wait();
  }

  /** Drops everything that waits. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
    this.#at = 0;
  }

  #wait(): void {
    const ms = this.#waiting[this.#at]!.dueAt - performance.now();
    this.#timer = setTimeout(() => this.#deliverDue(), Math.max(0, ms));
  }

  #deliverDue(): void {
    const now = performance.now();
    this.#timer = undefined;
    while (this.#at < this.#waiting.length && this.#waiting[this.#at]!.dueAt <= now) {
      const { item } = this.#waiting[this.#at++]!;
      this.deliver(item);
    }
    if (this.#at >= BATCH || this.#at === this.#waiting.length) {
      this.#waiting.splice(0, this.#at);
      this.#at = 0;
    }
    if (this.#waiting.length > 0 && this.#timer === undefined) this.#wait();
  }
}
