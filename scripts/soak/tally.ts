/** How a job ended that did not go well. */
export interface Failure {
  readonly job: string;
  readonly reason: string;
}

/** Counts what became of the traffic of a soak. */
export class Tally {
  /** Jobs that ended well and whose bytes were right, by kind. */
  readonly done: Record<string, number> = {};
  /** Jobs that failed while, or just after, something was broken on purpose. */
  excused = 0;
  /** Bytes that were checked. */
  bytes = 0;
  /** What must not be: wrong bytes, and failures without a fault. */
  readonly wrong: Failure[] = [];

  /** All jobs that ended well. */
  get total(): number {
    return Object.values(this.done).reduce((sum, count) => sum + count, 0);
  }

  /** A job ended well after so many bytes. */
  succeeded(job: string, bytes: number): void {
    this.done[job] = (this.done[job] ?? 0) + 1;
    this.bytes += bytes;
  }
}
