import type { MuxStream } from "../../shared/mux/stream.ts";
import { testBytes } from "./test_bytes.ts";

const CHUNK = testBytes(50_000);

/** Sends `bytes` in chunks, as fast as the stream takes them, and ends. */
export function pour(stream: MuxStream, bytes: number): void {
  let left = bytes;
  const more = () => {
    while (left > 0) {
      const size = Math.min(left, CHUNK.byteLength);
      left -= size;
      const room = stream.write(CHUNK.subarray(0, size));
      if (left === 0) stream.end();
      if (!room) return;
    }
  };
  stream.listen({ drain: more });
  stream.resume();
  more();
}
