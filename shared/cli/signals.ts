import type { Clock } from "../clock.ts";
import { systemClock } from "../system_clock.ts";

/**
 * Calls `listener` for each request to stop, with the signal's name and the number of requests so far. Returns a function
 * that stops listening; until then these signals do not end the process.
 */
export type SignalSource = (listener: (name: string, count: number) => void) => () => void;

/**
 * Signals within this many milliseconds are one request: at Ctrl-C a program that runs as a task gets one signal from the
 * terminal and another one from the task runner.
 */
const SAME_REQUEST_MS = 500;

/** Ctrl-C and, where they exist, SIGTERM and the hang-up of the terminal. */
export const stopSignals: SignalSource = (listener) => {
  const count = requestCounter(listener, systemClock);
  // Windows has no SIGTERM; closing the window sends SIGBREAK or nothing.
  const windows: Deno.Signal[] = ["SIGINT", "SIGBREAK"];
  const names = Deno.build.os === "windows" ? windows : ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const handlers = names.map((name) => ({
    name,
    handle() {
      // Otherwise it requests a reload: see reloadSignals.
      if (name !== "SIGHUP" || isTerminalGone()) count(name);
    },
  }));
  for (const { name, handle } of handlers) Deno.addSignalListener(name, handle);
  return () => {
    for (const { name, handle } of handlers) Deno.removeSignalListener(name, handle);
  };
};

/** Counts signals as requests to stop; see {@linkcode stopSignals}. */
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

/** Calls `listener` for each request to reload. Returns a function that stops listening. */
export type ReloadSource = (listener: (name: string) => void) => () => void;

/** SIGHUP, unless the terminal was closed; Windows has no SIGHUP. */
export const reloadSignals: ReloadSource = (listener) => {
  if (Deno.build.os === "windows") return () => {};
  const handle = () => {
    if (!isTerminalGone()) listener("SIGHUP");
  };
  Deno.addSignalListener("SIGHUP", handle);
  return () => Deno.removeSignalListener("SIGHUP", handle);
};

const terminals = [Deno.stdin, Deno.stdout, Deno.stderr].filter((stream) => stream.isTerminal());

/**
 * Whether a SIGHUP means that the program's terminal was closed, which is a request to stop, and not a request to reload.
 */
function isTerminalGone(): boolean {
  return terminals.length > 0 && !terminals.some((stream) => stream.isTerminal());
}
