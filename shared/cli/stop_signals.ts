/**
 * Calls `listener` for every signal that asks the process to stop, with its name and how many there were.
 * Returns what ends the listening; until then these signals do not end the process by themselves.
 */
export type SignalSource = (listener: (name: string, count: number) => void) => () => void;

/** Ctrl-C and, where there is such a thing, SIGTERM. */
export const stopSignals: SignalSource = (listener) => {
  let count = 0;
  // Windows knows no SIGTERM; closing the window sends SIGBREAK or nothing.
  const names: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  const handlers = names.map((name) => ({ name, handle: () => listener(name, ++count) }));
  for (const { name, handle } of handlers) Deno.addSignalListener(name, handle);
  return () => {
    for (const { name, handle } of handlers) Deno.removeSignalListener(name, handle);
  };
};
