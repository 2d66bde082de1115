import type { Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import { SharedLimit } from "../../shared/limits/shared_limit.ts";
import type { MuxStream } from "../../shared/mux/stream/stream.ts";
import { MAX_SPEED_BYTES, type OpeningMessage, SPEED_HOST } from "../../shared/protocol/messages.ts";
import { StreamAccounting, type TransferListener } from "../../shared/egress/accounting.ts";
import { refuse } from "../../shared/egress/refuse.ts";

/** The content does not matter, since TLS does not compress. */
const CHUNK = new Uint8Array(65_536);

/** Milliseconds without progress after which a measurement is abandoned. */
const IDLE_TIMEOUT_MS = 60_000;
/**
 * Concurrent measurements of all agents: they distort each other. A certificate may have as many as it leaves to
 * others.
 */
const MAX_AT_ONCE = 16;

/** Whether a stream measures the path instead of reaching a target (SPEC.md 4.7). */
export function isSpeedTest({ type, payload }: OpeningMessage): boolean {
  return type === "http_request" && payload.host.toLowerCase() === SPEED_HOST;
}

/** Serves streams that measure the path. */
export class SpeedTest {
  readonly #limit = new SharedLimit<MuxStream>({ total: MAX_AT_ONCE, whenFull: "reserve" });

  /** Serves a stream of `client`; beyond its share, streams are refused with `limit_reached`. */
  serve(stream: MuxStream, client: string, context: TransferListener): void {
    const accounting = new StreamAccounting(stream, context);
    const done = (error: SallyportError | undefined) => {
      this.#limit.release(stream);
      accounting.done(error);
    };
    if (!this.#limit.take(client, stream)) {
      const problem = "Cannot measure the path: too many measurements are running; try again in a moment";
      const error = new SallyportError("limit_reached", problem);
      return refuse(stream, error, { accounting, clock: context.clock });
    }
    const bytes = bytesAskedFor(stream.opening);
    accounting.status = bytes === undefined ? 404 : 200;
    const headers = ["Content-Type", "application/octet-stream", "Content-Length", String(bytes ?? 0)];
    const reason = bytes === undefined ? "Not Found" : "OK";
    stream.send({ type: "http_response", payload: { status: accounting.status, reason, headers } });
    pour(stream, bytes ?? 0, context.clock, done);
  }
}

type Done = (error: SallyportError | undefined) => void;

function pour(stream: MuxStream, bytes: number, clock: Clock, done: Done): void {
  let left = bytes;
  const giveUp = () =>
    stream.reset("idle_timeout", `Cannot continue: nothing was read for ${IDLE_TIMEOUT_MS / 1_000} s`);
  let cancel = clock.after(IDLE_TIMEOUT_MS, giveUp);
  const send = () => {
    cancel();
    cancel = clock.after(IDLE_TIMEOUT_MS, giveUp);
    while (left > 0) {
      const part = CHUNK.subarray(0, Math.min(left, CHUNK.byteLength));
      left -= part.byteLength;
      if (!stream.write(part)) return;
    }
    stream.end();
  };
  stream.listen({
    data: ({ byteLength }) => stream.consumed(byteLength),
    drain: send,
    closed(error) {
      cancel();
      done(error);
    },
  });
  stream.resume();
  send();
}

/** undefined for a request that is not served. */
function bytesAskedFor({ type, payload }: OpeningMessage): number | undefined {
  if (type !== "http_request" || payload.method !== "GET") return undefined;
  const [path, query] = payload.path.split("?", 2);
  const bytes = new URLSearchParams(query).get("bytes") ?? "";
  if (path !== "/down" || !/^\d{1,8}$/.test(bytes) || Number(bytes) > MAX_SPEED_BYTES) return undefined;
  return Number(bytes);
}
