import type { HeaderList } from "../../../shared/protocol/messages.ts";
import type { FarStream } from "../mux/far_stream.ts";

/** Responds as the server would; without `body` only the head is sent. */
export function answer(
  far: FarStream,
  status: number,
  headers: HeaderList,
  body?: string,
  trailers?: HeaderList,
): void {
  const bytes = body === undefined ? undefined : new TextEncoder().encode(body);
  const end = body === undefined ? undefined : { end: true, trailers };
  const message = { type: "http_response", payload: { status, reason: "Fine", headers } } as const;
  far.stream.send(message, bytes, end);
}
