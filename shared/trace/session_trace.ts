import { createHash } from "node:crypto";
import { getFrameLogger, getLogger, type LogFields, type Logger } from "../log.ts";
import type { LogLevel } from "../log_level.ts";
import type { SessionTrace } from "../mux/trace.ts";

/** Makes the trace of a session with this id; undefined when nothing is traced. */
export type TraceFactory = (key: string) => SessionTrace | undefined;

/** What {@linkcode traceSessions} logs. */
export interface TraceOptions {
  /** Logs the life of sessions, links and streams at `debug`. @default {not logged} */
  readonly life?: Pick<Logger, "debug"> | undefined;
  /** Logs every frame, without its content. @default {not logged} */
  readonly frames?: Pick<Logger, "debug"> | undefined;
}

/** Traces what a program's configuration asks for. */
export function configuredTrace(
  { logLevel, traceFrames }: { readonly logLevel: LogLevel; readonly traceFrames: boolean },
): TraceFactory {
  return traceSessions({
    life: logLevel === "debug" ? getLogger("tunnel") : undefined,
    frames: traceFrames ? getFrameLogger() : undefined,
  });
}

/** Logs what happens inside sessions. `session`, `link` and `stream` are the same in the logs of both ends. */
export function traceSessions({ life, frames }: TraceOptions): TraceFactory {
  return (key) => {
    if (life === undefined && frames === undefined) return undefined;
    const session = sessionName(key);
    const to = (log: Pick<Logger, "debug">) => (event: string, fields: LogFields) =>
      log.debug(event, { session, ...fields });
    return { ...life && { life: to(life) }, ...frames && { frame: to(frames) } };
  };
}

/** The name of a session for people: its id is a secret (SPEC.md 3.6). */
export function sessionName(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 8);
}
