import { randomBytes } from "node:crypto";
import type { Clock } from "../shared/clock.ts";
import type { Outcome, Progress } from "../shared/forward/outcome.ts";

/** Whose stream it is. */
export interface AuditedPeer {
  /** Common name of the certificate's subject. */
  readonly commonName: string;
  /** Serial number of the certificate, in hex. */
  readonly serial: string;
  /** Addresses and ports that the agent's connection comes from, as the server sees them. */
  readonly from: readonly string[];
}

/** What makes an audit. */
export interface AuditOptions {
  /** Takes one line, without its line end. */
  write(line: string): void;
  /** Where the time of day comes from. */
  clock: Pick<Clock, "wallTime">;
  /** Begins the ids of this process's streams. @default {64 random bits, in hex} */
  run?: string;
}

/** Writes the lines of one stream. */
export interface StreamAudit {
  /** The stream has lasted a while. */
  open(progress: Progress): void;
  /** The stream is over. */
  end(outcome: Outcome): void;
}

/** Begins the lines of a stream; writes nothing yet. */
export type Audit = (peer: AuditedPeer) => StreamAudit;

/**
 * Makes an audit of who reached what. A stream has one JSON line when it is over (`event: "stream"`), and one more
 * before (`event: "open"`) if it lasts, so that a crash does not erase what was under way.
 *
 * Each line says which stream (`id`, the same in both lines, unique over restarts), who (`client`, `serial`,
 * `from`), what (`kind`, `target`, `address`, `status`) and how much so far (`bytes_in` from the agent, `bytes_out`
 * to it, `duration_ms`); the last one also how it went (`outcome`: `"ok"` or a code of SPEC.md 6, with `detail`). A
 * reset by the agent is `cancelled`; what the agent said of it is in `peer_code` and `peer_message`, and proves
 * nothing. The lines are ASCII.
 */
export function createAudit({ write, clock, run = randomHex() }: AuditOptions): Audit {
  let count = 0;
  return (peer) => {
    const id = `${run}-${++count}`;
    const line = (event: "open" | "stream", progress: Progress, result: Record<string, unknown> = {}) => {
      const { kind, target, address, status, bytesIn, bytesOut, durationMs } = progress;
      write(ascii(JSON.stringify({
        time: new Date(clock.wallTime()).toISOString(),
        ...{ event, id },
        client: peer.commonName,
        serial: peer.serial,
        from: peer.from,
        ...{ kind, target, address, status },
        bytes_in: bytesIn,
        bytes_out: bytesOut,
        duration_ms: Math.round(durationMs),
        ...result,
      })));
    };
    return {
      open: (progress) => line("open", progress),
      end: (outcome) => {
        const { code: result = "ok", detail, peerCode, peerMessage } = outcome;
        line("stream", outcome, { outcome: result, detail, peer_code: peerCode, peer_message: peerMessage });
      },
    };
  };
}

function randomHex(): string {
  return randomBytes(8).toString("hex");
}

/**
 * Escapes what is not printable ASCII, which in JSON stands in texts only: a client's text cannot hide or turn
 * round parts of the line, whatever shows it.
 */
function ascii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
