import type { Dial } from "./dial/dial.ts";
import type { OriginPool } from "./http/origin_pool.ts";
import type { TransferListener } from "./accounting.ts";

/** What forwarding needs, whatever the stream is for. */
export interface ForwardContext extends TransferListener {
  /** Connects to the targets that the policy allows. */
  dial: Dial;
  /** Connections to HTTP origins, all made by `dial`. */
  origins: OriginPool;
  /** Milliseconds without a byte in either direction after which a stream is reset. */
  idleTimeoutMs: number;
  /** Bytes passed in either direction; called at most once a second. @default {none} */
  onActive?: (() => void) | undefined;
}
