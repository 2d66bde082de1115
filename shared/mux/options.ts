import { SallyportError } from "../errors.ts";
import { MAX_WINDOW, type Payload, PROTOCOL_VERSION } from "../protocol/messages.ts";

/** Options of a session. Times are milliseconds, sizes bytes. */
export interface SessionOptions {
  /** Sent in `hello`, for the peer's logs. @default "sallyport" */
  software: string;
  /** Identifies this process in `hello`, so that its sessions count as one agent. @default "" (not sent) */
  id: string;
  /** Initial credit for every stream of the peer. @default 262144 */
  initialWindow: number;
  /** Credit up to which the window of a reader that keeps up may grow. @default 16777216 */
  maxWindow: number;
  /** Streams that the peer may have open at the same time. @default 4096 */
  maxStreams: number;
  /** Queued bytes of a stream at which its writer has to wait. @default 262144 */
  queueHighMark: number;
  /** Queued bytes of a stream at which its writer may continue. @default 65536 */
  queueLowMark: number;
  /** Time until the peer's `hello` has to arrive (SPEC.md 3.1). @default 10000 */
  helloTimeout: number;
  /** Silence after which a `ping` is sent (SPEC.md 3.2). @default 5000 */
  keepaliveInterval: number;
  /** Silence after a `ping` that means a dead path (SPEC.md 3.2). @default 4000 */
  keepaliveTimeout: number;
  /** Time that a session with streams waits for a new link (SPEC.md 3.7). @default {0: it ends with its last link} */
  resumeTimeout: number;
}

/** The defaults of {@linkcode SessionOptions}. */
export const DEFAULT_SESSION_OPTIONS: Readonly<SessionOptions> = {
  software: "sallyport",
  id: "",
  initialWindow: 262_144,
  maxWindow: MAX_WINDOW,
  maxStreams: 4_096,
  queueHighMark: 262_144,
  queueLowMark: 65_536,
  helloTimeout: 10_000,
  keepaliveInterval: 5_000,
  keepaliveTimeout: 4_000,
  resumeTimeout: 0,
};

/** The longest time that a session waits for a link, in milliseconds (SPEC.md 3.7). */
export const MAX_RESUME_TIMEOUT = 240_000;

/** Applies the defaults and checks every option; throws `internal` with its name, since only code sets them. */
export function sessionOptions(given: Partial<SessionOptions> = {}): SessionOptions {
  const options = { ...DEFAULT_SESSION_OPTIONS, ...given };
  requireRange("initialWindow", options.initialWindow, 1, MAX_WINDOW);
  requireRange("maxWindow", options.maxWindow, options.initialWindow, MAX_WINDOW);
  requireRange("maxStreams", options.maxStreams, 0, 1_000_000);
  requireRange("queueHighMark", options.queueHighMark, 1, 1 << 30);
  requireRange("queueLowMark", options.queueLowMark, 0, options.queueHighMark);
  requireRange("resumeTimeout", options.resumeTimeout, 0, MAX_RESUME_TIMEOUT);
  for (const name of ["helloTimeout", "keepaliveInterval", "keepaliveTimeout"] as const) {
    requireRange(name, options[name], 1, 1 << 30);
  }
  return options;
}

/** The `hello` that announces these options (SPEC.md 3.1). */
export function helloOf(options: SessionOptions): Payload<"hello"> {
  const { software, initialWindow, maxStreams, id } = options;
  const payload = { version: PROTOCOL_VERSION, software, window: initialWindow, max_streams: maxStreams };
  return id === "" ? payload : { ...payload, id };
}

function requireRange(name: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new SallyportError("internal", `Cannot use option ${name}: ${value} is not in ${min}..${max}`);
}
