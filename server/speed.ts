import type { Clock } from "../shared/clock.ts";
import { SallyportError } from "../shared/errors.ts";
import { SharedLimit } from "../shared/limits/shared_limit.ts";
import type { MuxStream } from "../shared/mux/stream.ts";
import type { OpeningMessage } from "../shared/protocol/messages.ts";
import { MAX_SPEED_BYTES, SPEED_HOST } from "../shared/protocol/speed_target.ts";
import { type OutcomeListener, OutcomeRecorder } from "../shared/forward/outcome.ts";
import { refuse } from "../shared/forward/refuse.ts";

/** What is sent: nothing in particular, since TLS does not compress. */
const CHUNK = new Uint8Array(65_536);

/** Milliseconds without progress after which an agent that does not read is given up. */
const PATIENCE = 60_000;
/**
 * Streams at once, of all agents: who measures beside others measures nothing. Each certificate may have as many as
 * are free.
 */
const MAX_AT_ONCE = 16;

/** Tells whether a stream is for measuring the path, and reaches no target (SPEC.md 4.7). */
export function isForSpeed({ type, payload }: OpeningMessage): boolean {
  return type === "http_request" && payload.host.toLowerCase() === SPEED_HOST;
}

/** Serves streams that are for measuring the path. */
export class Speed {
  readonly #limit = new SharedLimit<MuxStream>({ total: MAX_AT_ONCE, whenFull: "reserve" });

  /** Serves one of `client`; beyond its share they are refused with `limit_reached`. */
  serve(stream: MuxStream, client: string, context: OutcomeListener): void {
    const recorder = new OutcomeRecorder(stream, context);
    const over = (error: SallyportError | undefined) => {
      this.#limit.release(stream);
      recorder.done(error);
    };
    if (!this.#limit.take(client, stream)) {
      const problem = "Cannot measure the path: others do, try again in a moment";
      const error = new SallyportError("limit_reached", problem);
      return refuse(stream, error, { recorder, clock: context.clock });
    }
    const bytes = bytesAskedFor(stream.opening);
    recorder.status = bytes === undefined ? 404 : 200;
    const headers = ["Content-Type", "application/octet-stream", "Content-Length", String(bytes ?? 0)];
    const reason = bytes === undefined ? "Not Found" : "OK";
    stream.send({ type: "http_response", payload: { status: recorder.status, reason, headers } });
    pour(stream, bytes ?? 0, context.clock, over);
  }
}

type Over = (error: SallyportError | undefined) => void;

function pour(stream: MuxStream, bytes: number, clock: Clock, over: Over): void {
  let left = bytes;
  const giveUp = () =>
    stream.reset("idle_timeout", `Cannot go on: nothing was read for ${PATIENCE / 1_000} s`);
  let cancel = clock.after(PATIENCE, giveUp);
  const go = () => {
    cancel();
    cancel = clock.after(PATIENCE, giveUp);
    while (left > 0) {
      const part = CHUNK.subarray(0, Math.min(left, CHUNK.byteLength));
      left -= part.byteLength;
      if (!stream.write(part)) return;
    }
    stream.end();
  };
  stream.listen({
    data: ({ byteLength }) => stream.consumed(byteLength),
    drain: go,
    closed(error) {
      cancel();
      over(error);
    },
  });
  stream.resume();
  go();
}

/** undefined for a request that is not served. */
function bytesAskedFor({ type, payload }: OpeningMessage): number | undefined {
  if (type !== "http_request" || payload.method !== "GET") return undefined;
  const [path, query] = payload.path.split("?", 2);
  const bytes = new URLSearchParams(query).get("bytes") ?? "";
  if (path !== "/down" || !/^\d{1,8}$/.test(bytes) || Number(bytes) > MAX_SPEED_BYTES) return undefined;
  return Number(bytes);
}
