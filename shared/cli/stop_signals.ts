import type { Clock } from "../clock.ts";
import { systemClock } from "../system_clock.ts";
import { terminalIsGone } from "./hang_up.ts";

/**
 * Calls `listener` for every time that the process is asked to stop, with the signal's name and how many times
 * that was. Returns what ends the listening; until then these signals do not end the process by themselves.
 */
export type SignalSource = (listener: (name: string, count: number) => void) => () => void;

/**
 * Signals that come closer together than this, in milliseconds, are one request: at Ctrl-C a program that runs
 * as a task gets one from the terminal and the same again from the task runner, which passes on its own.
 */
const SAME_REQUEST_MS = 500;

/** Ctrl-C and, where there are such things, SIGTERM and the end of the terminal. */
export const stopSignals: SignalSource = (listener) => {
  const count = requestCounter(listener, systemClock);
  // Windows knows no SIGTERM; closing the window sends SIGBREAK or nothing.
  const windows: Deno.Signal[] = ["SIGINT", "SIGBREAK"];
  const names = Deno.build.os === "windows" ? windows : ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const handlers = names.map((name) => ({
    name,
    handle() {
      // Without that it asks for a reload: see reload_signals.ts.
      if (name !== "SIGHUP" || terminalIsGone()) count(name);
    },
  }));
  for (const { name, handle } of handlers) Deno.addSignalListener(name, handle);
  return () => {
    for (const { name, handle } of handlers) Deno.removeSignalListener(name, handle);
  };
};

/** Makes requests to stop of signals; see {@linkcode stopSignals}. */
export function requestCounter(
  listener: (name: string, count: number) => void,
  clock: Clock,
): (name: string) => void {
  let requests = 0;
  let last = -Infinity;
  return (name) => {
    const now = clock.now();
    if (now - last < SAME_REQUEST_MS) return;
    last = now;
    listener(name, ++requests);
  };
}
