import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { z } from "zod";

/** Marker that `deno compile` puts before and after embedded data. */
const MAGIC = "d3n0l4nd";
/** The name of the section, followed directly by its content. */
const START = `${MAGIC}${MAGIC}`;
/** Counts of npm packages, redirects and remote modules, in bytes; all are 0 in a single bundle. */
const NO_MODULES = 20;

const RIGHT = z.array(z.string()).nullable();
const METADATA = z.object({
  argv: z.array(z.string()),
  permissions: z.record(z.string(), z.union([RIGHT, z.boolean()])),
  v8_flags: z.array(z.string()),
  ca_data: z.null(),
  unsafely_ignore_certificate_errors: z.null(),
  env_vars_from_env_file: z.record(z.string(), z.string()),
  entrypoint_key: z.string(),
  node_modules: z.null(),
});

/** A folder or file in the executable's list: name and entries, or name, offset and length. */
type Entry = { Dir: { n: string; e: Entry[] } } | { File: { n: string; o: [number, number] } };

/** Content embedded in an executable. */
export interface Embedded {
  readonly metadata: z.infer<typeof METADATA>;
  /** Bytes of each file, by its path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The whole section. */
  readonly section: Uint8Array;
}

/**
 * Reads the content that `deno compile` embedded in an executable.
 *
 * @throws {Error} When there is none, or its form is not that of a single bundle.
 */
export function readEmbedded(executable: Uint8Array): Embedded {
  const bytes = Buffer.from(executable.buffer, executable.byteOffset, executable.byteLength);
  const start = bytes.lastIndexOf(START);
  const end = bytes.lastIndexOf(MAGIC);
  assert.ok(start !== -1 && end > start + MAGIC.length, "the executable has embedded content");
  const section = bytes.subarray(start + MAGIC.length, end + MAGIC.length);
  const metadata = sized(section, MAGIC.length);
  assert.ok(section.subarray(metadata.end, metadata.end + NO_MODULES).every((byte) => byte === 0));
  const listing = sized(section, metadata.end + NO_MODULES);
  const data = sized(section, listing.end);
  assert.equal(section.length, data.end + MAGIC.length, "nothing follows the files");
  const entries: Entry[] = JSON.parse(listing.bytes.toString());
  return {
    metadata: METADATA.parse(JSON.parse(metadata.bytes.toString())),
    files: new Map(filesOf(entries, "", data.bytes)),
    section,
  };
}

/** Reads bytes that follow their length. */
function sized(from: Buffer, at: number): { bytes: Buffer; end: number } {
  const end = at + 8 + Number(from.readBigUInt64LE(at));
  assert.ok(end <= from.length, `length at ${at} is within the section`);
  return { bytes: from.subarray(at + 8, end), end };
}

function filesOf(entries: readonly Entry[], folder: string, data: Buffer): [string, Uint8Array][] {
  return entries.flatMap((entry) => {
    if ("Dir" in entry) return filesOf(entry.Dir.e, `${folder}${entry.Dir.n}/`, data);
    assert.ok("File" in entry, `only folders and files: ${JSON.stringify(entry)}`);
    const { n, o: [at, length] } = entry.File;
    return [[`${folder}${n}`, data.subarray(at, at + length)] as [string, Uint8Array]];
  });
}

/** Modules named in a bundle: paths in the project, and npm packages. */
export function modulesIn(bundle: Uint8Array): string[] {
  const text = new TextDecoder().decode(bundle);
  return [...text.matchAll(/^\/\/ (\S+\.(?:[cm]?[jt]s|json))$/gm)].map(([, path]) => path!);
}
