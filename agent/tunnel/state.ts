import type { SallyportError } from "../../shared/errors.ts";

/** Where the tunnel is in its life; the console shows it. */
export type TunnelState =
  /** Not started, or stopped. */
  | { name: "closed" }
  /** Finding out where the server is, and perhaps waking it. */
  | { name: "locating" }
  /** There is no server to dial until somebody wants one; `error` is why the last search for one failed. */
  | { name: "asleep"; error: SallyportError | undefined }
  /** Dialling; `attempt` counts from 1 since the tunnel was last ready. */
  | { name: "connecting"; attempt: number }
  /** At least one connection takes streams. */
  | { name: "ready" }
  /** The last dial failed; the next is due at `retryAt` on the clock. */
  | { name: "failed"; error: SallyportError; attempt: number; retryAt: number }
  /** Takes no more streams and waits for those that are open. */
  | { name: "draining" };
