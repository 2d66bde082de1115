import { type Zippable, zipSync } from "fflate";

/** A file of an archive. */
export interface Entry {
  readonly bytes: Uint8Array;
  /** Whether it is a program. @default false */
  readonly executable?: boolean;
}

/** Archives carry the time of their files; the same files have to be the same bytes, so that nothing is uploaded twice. */
const MTIME = new Date("2000-01-01T00:00:00");
const UNIX = 3;

/** Makes a ZIP archive: the same bytes for the same entries. */
export function zip(entries: Readonly<Record<string, Entry>>): Uint8Array {
  const files: Zippable = {};
  for (const [name, { bytes, executable = false }] of Object.entries(entries)) {
    const mode = executable ? 0o100755 : 0o100644;
    files[name] = [bytes, { mtime: MTIME, os: UNIX, attrs: mode * 0x10000, level: 6 }];
  }
  return zipSync(files);
}
