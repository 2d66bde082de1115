import type { HeaderList, StreamMessage } from "../protocol/messages.ts";

/** What an object takes beside its texts, roughly. */
const OBJECT_BYTES = 256;
/** What a text takes beside its characters: its header, and its slots in lists that are made of the list. Measured. */
const TEXT_BYTES = 64;
/** How often the characters of fields are kept: in the message, and in the head that the HTTP library makes of it. */
const COPIES = 2;

/** About how many bytes a message takes in memory: its texts, which cost no credit (SPEC.md 5.5). */
export function weightOf({ payload }: StreamMessage): number {
  const { path = "", reason = "", headers } = payload as {
    path?: string;
    reason?: string;
    headers?: HeaderList;
  };
  return OBJECT_BYTES + COPIES * path.length + reason.length + weightOfHeaders(headers);
}

/** About how many bytes a list of fields takes in memory, such as trailers. */
export function weightOfHeaders(headers: HeaderList = []): number {
  let bytes = 0;
  for (const text of headers) bytes += COPIES * text.length + TEXT_BYTES;
  return bytes;
}
