import type { Dial } from "../targets/dial.ts";
import type { OriginPool } from "./origin_pool.ts";
import type { OutcomeListener } from "./outcome.ts";

/** What all ways of forwarding need. */
export interface ForwardContext extends OutcomeListener {
  /** Connects to targets that may be connected to. */
  dial: Dial;
  /** Kept connections to HTTP origins, all made under the rules of `dial`. */
  origins: OriginPool;
  /** Milliseconds without a byte either way after which a stream is cut. */
  idleTimeoutMs: number;
}
