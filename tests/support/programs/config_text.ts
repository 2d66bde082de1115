import type { ReadBytes } from "../../../shared/config/config_file.ts";

/** Reads this text instead of a configuration file. */
export function configText(text: string): ReadBytes {
  return () => Promise.resolve(new TextEncoder().encode(text));
}
