import type { Clock } from "../shared/clock.ts";
import type { Outcome } from "../shared/forward/outcome.ts";

/** Whose stream it was, as the certificate says. */
export interface AuditedPeer {
  /** Common name of the certificate's subject. */
  commonName: string;
  /** Serial number of the certificate, in hex. */
  serial: string;
}

/** What makes an audit. */
export interface AuditOptions {
  /** Takes one line, without its line end. */
  write(line: string): void;
  /** Where the time of day comes from. */
  clock: Pick<Clock, "wallTime">;
}

/** Writes down who reached what. */
export type Audit = (peer: AuditedPeer, outcome: Outcome) => void;

/**
 * Makes an audit: one JSON line for every stream that is over, with who (`client`, `serial`), what (`kind`,
 * `target`, `address`, `status`), how much (`bytes_in` from the agent, `bytes_out` to it, `duration_ms`) and
 * how it went (`outcome`: `"ok"` or a code of SPEC.md 6, with `detail`). A reset by the agent is `cancelled`; what
 * the agent said of it is in `peer_code` and `peer_message`, and proves nothing. The lines are ASCII.
 */
export function createAudit({ write, clock }: AuditOptions): Audit {
  return (peer, outcome) => {
    const { kind, target, address, status, bytesIn, bytesOut, durationMs } = outcome;
    const { code, detail, peerCode, peerMessage } = outcome;
    write(ascii(JSON.stringify({
      time: new Date(clock.wallTime()).toISOString(),
      event: "stream",
      client: peer.commonName,
      serial: peer.serial,
      ...{ kind, target, address, status },
      bytes_in: bytesIn,
      bytes_out: bytesOut,
      duration_ms: Math.round(durationMs),
      outcome: code ?? "ok",
      detail,
      peer_code: peerCode,
      peer_message: peerMessage,
    })));
  };
}

/**
 * Escapes what is not printable ASCII, which in JSON stands in texts only: a client's text cannot hide or turn
 * round parts of the line, whatever shows it.
 */
function ascii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
