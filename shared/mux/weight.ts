import type { StreamMessage } from "../protocol/messages.ts";

/** What an object takes beside its texts, roughly. */
const OBJECT_BYTES = 256;

/** About how many bytes a message takes in memory: its texts, which cost no credit (SPEC.md 5.5). */
export function weightOf({ payload }: StreamMessage): number {
  let bytes = OBJECT_BYTES;
  const { path, headers } = payload as { path?: string; headers?: string[] };
  if (path !== undefined) bytes += path.length;
  for (const text of headers ?? []) bytes += text.length + 16;
  return bytes;
}
