import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import { testBytes } from "../test_bytes.ts";

const CHUNK = testBytes(50_000);

/** Sends this many bytes in chunks, as fast as the stream accepts them, and ends. */
export function sendAll(stream: MuxStream, bytes: number): void {
  let left = bytes;
  const more = () => {
    while (left > 0) {
      const size = Math.min(left, CHUNK.byteLength);
      left -= size;
      const hasRoom = stream.write(CHUNK.subarray(0, size));
      if (left === 0) stream.end();
      if (!hasRoom) return;
    }
  };
  stream.listen({ drain: more });
  stream.resume();
  more();
}
