import { randomBytes } from "node:crypto";
import { asciiJson } from "../../shared/text/sanitize.ts";
import type { Clock } from "../../shared/clock.ts";
import type { TransferProgress, TransferResult } from "../../shared/egress/accounting.ts";

/** The client whose stream is audited. */
export interface AuditedClient {
  /** Common name of the certificate's subject. */
  readonly commonName: string;
  /** Serial number of the certificate, in hex. */
  readonly serial: string;
}

/** The agent's session while the stream is open. Both are read when a line is written. */
export interface AuditedSession {
  /** Where the agent's connections since the stream began came from, as seen by the server. */
  readonly from: readonly string[];
  /** How often the session lost all connections and continued since the stream began. */
  readonly resumptions: number;
}

/** What makes an audit. */
export interface AuditInit {
  /** Writes one line, given without its line end. */
  write(line: string): void;
  /** Where the time of day comes from. */
  clock: Pick<Clock, "wallTime">;
  /** Prefix of the stream ids of this process. @default {64 random bits, in hex} */
  run?: string;
}

/** Writes the lines of one stream. */
export interface StreamAudit {
  /** The stream is still open after `audit_open_after`. */
  open(progress: TransferProgress): void;
  /** The stream is over. */
  end(result: TransferResult): void;
}

/** Starts the audit of a stream; writes nothing yet. */
export type Audit = (client: AuditedClient, session: AuditedSession) => StreamAudit;

/**
 * Makes an audit of which client reached which target. A stream has one JSON line when it is over
 * (`event: "stream"`), and one before (`event: "open"`) if it stays open for long, so that a crash does not lose it.
 *
 * Each line has the stream (`id`, the same in both lines, unique across restarts), the client (`client`, `serial`,
 * `from`, `resumptions`), the target (`kind`, `target`, `address`, `status`) and the traffic so far (`bytes_in` from the
 * agent, `bytes_out` to it, `duration_ms`). The last line also has the result (`outcome`: `"ok"` or a code of SPEC.md 6, with
 * `detail`). A reset by the agent is `cancelled`; the reason that the agent gave is in `peer_code` and `peer_message`,
 * and proves nothing. The lines are ASCII.
 */
export function createAudit({ write, clock, run = randomHex() }: AuditInit): Audit {
  let count = 0;
  return (client, session) => {
    const id = `${run}-${++count}`;
    const line = (
      event: "open" | "stream",
      progress: TransferProgress,
      result: Record<string, unknown> = {},
    ) => {
      const { kind, target, address, status, bytesIn, bytesOut, durationMs } = progress;
      write(asciiJson(JSON.stringify({
        time: new Date(clock.wallTime()).toISOString(),
        ...{ event, id },
        client: client.commonName,
        serial: client.serial,
        from: session.from,
        resumptions: session.resumptions,
        ...{ kind, target, address, status },
        bytes_in: bytesIn,
        bytes_out: bytesOut,
        duration_ms: Math.round(durationMs),
        ...result,
      })));
    };
    return {
      open: (progress) => line("open", progress),
      end: (result) => {
        const { code: outcome = "ok", detail, peerCode, peerMessage } = result;
        line("stream", result, { outcome, detail, peer_code: peerCode, peer_message: peerMessage });
      },
    };
  };
}

function randomHex(): string {
  return randomBytes(8).toString("hex");
}
