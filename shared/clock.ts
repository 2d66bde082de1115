/** Stops a timer; calling it again, or after the timer ran, does nothing. */
export type CancelTimer = () => void;

/**
 * Time as the rest of the code sees it. It is passed in, so that tests can turn
 * it by hand and nothing has to wait for real seconds.
 */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back, and may stand still while the machine sleeps. */
  now(): number;
  /** Milliseconds since 1970; counts while the machine sleeps, and jumps when somebody sets it. */
  wallTime(): number;
  /**
   * Runs `callback` once, `ms` milliseconds from now, unless the returned function is called first. Waits of five
   * seconds and more may end up to a second late.
   */
  after(ms: number, callback: () => void): CancelTimer;
}
