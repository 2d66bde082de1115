import { SallyportError } from "../errors.ts";
import { MAX_WINDOW } from "../protocol/messages.ts";

/** What can be set about a session. Times are milliseconds, sizes bytes. */
export interface SessionOptions {
  /** Sent in `hello`, for the peer's logs. @default "sallyport" */
  software: string;
  /** Names this process in `hello`, so that several connections count as one agent. @default "" (not sent) */
  id: string;
  /** Credit that every stream of the peer starts with. @default 262144 */
  initialWindow: number;
  /** Credit that a stream whose reader keeps up may grow to. @default 16777216 */
  maxWindow: number;
  /** Streams that the peer may have open at once. @default 4096 */
  maxStreams: number;
  /** Bytes queued in one stream from which its writer is asked to pause. @default 262144 */
  queueHighMark: number;
  /** Bytes queued in one stream at which its writer may go on. @default 65536 */
  queueLowMark: number;
  /** Time for the peer's `hello` (SPEC.md 3.1). @default 10000 */
  helloTimeout: number;
  /** Silence after which a `ping` goes out (SPEC.md 3.2). @default 5000 */
  keepaliveInterval: number;
  /** Silence after a `ping` that means a dead path (SPEC.md 3.2). @default 4000 */
  keepaliveTimeout: number;
}

/** The values used where nothing else is said. */
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
};

/** Fills in defaults and checks every field; throws `internal` with the field's name, since only code sets them. */
export function sessionOptions(given: Partial<SessionOptions> = {}): SessionOptions {
  const options = { ...DEFAULT_SESSION_OPTIONS, ...given };
  requireRange("initialWindow", options.initialWindow, 1, MAX_WINDOW);
  requireRange("maxWindow", options.maxWindow, options.initialWindow, MAX_WINDOW);
  requireRange("maxStreams", options.maxStreams, 0, 1_000_000);
  requireRange("queueHighMark", options.queueHighMark, 1, 1 << 30);
  requireRange("queueLowMark", options.queueLowMark, 0, options.queueHighMark);
  for (const name of ["helloTimeout", "keepaliveInterval", "keepaliveTimeout"] as const) {
    requireRange(name, options[name], 1, 1 << 30);
  }
  return options;
}

function requireRange(name: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new SallyportError("internal", `Cannot use option ${name}: ${value} is not in ${min}..${max}`);
}
