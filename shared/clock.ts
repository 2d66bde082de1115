/** Cancels a timer; a second call, or one after the timer ran, does nothing. */
export type CancelTimer = () => void;

/**
 * The source of time. It is passed in, so that tests can advance it without waiting.
 */
export interface Clock {
  /** Milliseconds since an arbitrary moment; monotonic, and may stop while the machine sleeps. */
  now(): number;
  /** Milliseconds since 1970; continues while the machine sleeps, and jumps when the clock is set. */
  wallTime(): number;
  /**
   * Runs `callback` once, `ms` milliseconds from now, unless the returned function is called first. Timers of five
   * seconds and more may run up to a second late.
   */
  after(ms: number, callback: () => void): CancelTimer;
}
