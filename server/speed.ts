import type { MuxStream } from "../shared/mux/stream.ts";
import type { OpeningMessage } from "../shared/protocol/messages.ts";
import { MAX_SPEED_BYTES, SPEED_HOST } from "../shared/protocol/speed_target.ts";
import { type OutcomeListener, OutcomeRecorder } from "../shared/forward/outcome.ts";

/** What is sent: nothing in particular, since TLS does not compress. */
const CHUNK = new Uint8Array(65_536);

/** Milliseconds after which an agent that does not read is given up. */
const DEADLINE = 60_000;

/** Tells whether a stream is for measuring the path, and reaches no target (SPEC.md 4.7). */
export function isForSpeed({ type, payload }: OpeningMessage): boolean {
  return type === "http_request" && payload.host.toLowerCase() === SPEED_HOST;
}

/** Serves a stream that is for measuring the path. */
export function serveSpeed(stream: MuxStream, context: OutcomeListener): void {
  const recorder = new OutcomeRecorder(stream, context);
  let left = bytesAskedFor(stream.opening);
  const isKnown = left !== undefined;
  recorder.status = isKnown ? 200 : 404;
  const cancelDeadline = context.clock.after(
    DEADLINE,
    () => stream.reset("idle_timeout", `Cannot measure the path any longer than ${DEADLINE / 1_000} s`),
  );
  const pour = () => {
    while (left !== undefined && left > 0) {
      const bytes = CHUNK.subarray(0, Math.min(left, CHUNK.byteLength));
      left -= bytes.byteLength;
      if (!stream.write(bytes)) return;
    }
    stream.end();
  };
  stream.listen({
    data: ({ byteLength }) => stream.consumed(byteLength),
    drain: pour,
    closed(error) {
      cancelDeadline();
      recorder.done(error);
    },
  });
  const headers = ["Content-Type", "application/octet-stream", "Content-Length", String(left ?? 0)];
  const reason = isKnown ? "OK" : "Not Found";
  stream.send({ type: "http_response", payload: { status: recorder.status, reason, headers } });
  stream.resume();
  pour();
}

/** undefined for a request that is not served. */
function bytesAskedFor({ type, payload }: OpeningMessage): number | undefined {
  if (type !== "http_request" || payload.method !== "GET") return undefined;
  const [path, query] = payload.path.split("?", 2);
  const bytes = new URLSearchParams(query).get("bytes") ?? "";
  if (path !== "/down" || !/^\d{1,8}$/.test(bytes) || Number(bytes) > MAX_SPEED_BYTES) return undefined;
  return Number(bytes);
}
