import { terminalIsGone } from "./hang_up.ts";

/** Calls `listener` whenever somebody asks for a reload. Returns what ends the listening. */
export type ReloadSource = (listener: (name: string) => void) => () => void;

/** SIGHUP, unless it tells that the terminal is gone; Windows has no such thing. */
export const reloadSignals: ReloadSource = (listener) => {
  if (Deno.build.os === "windows") return () => {};
  const handle = () => {
    if (!terminalIsGone()) listener("SIGHUP");
  };
  Deno.addSignalListener("SIGHUP", handle);
  return () => Deno.removeSignalListener("SIGHUP", handle);
};
