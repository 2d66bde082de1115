import type { Clock } from "../shared/clock.ts";
import { forward } from "../shared/egress/forward.ts";
import type { LongLivedListener, TransferResult } from "../shared/egress/accounting.ts";
import type { Logger } from "../shared/log.ts";
import type { MuxStream } from "../shared/mux/stream/stream.ts";
import { fromOsError } from "../shared/net/os_error.ts";
import type { Peer } from "../shared/pki/peer_verification.ts";
import { AgeTimer } from "./audit/age_timer.ts";
import { type Audit, type AuditedSession, createAudit, type StreamAudit } from "./audit/audit.ts";
import { LineWriter } from "./audit/line_writer.ts";
import type { ClientTargets } from "./clients/client_targets.ts";
import { isSpeedTest, SpeedTest } from "./targets/speed.ts";

/** What makes a {@linkcode StreamHandler}. */
export interface StreamHandlerInit {
  readonly targets: ClientTargets;
  readonly clock: Clock;
  readonly log: Pick<Logger, "error">;
  /** Milliseconds without a byte after which a stream is closed. */
  readonly idleTimeout: number;
  /** Milliseconds after which a stream that is still open has an audit line. */
  readonly auditOpenAfter: number;
  /** Writes some of the bytes of audit lines and returns how many; throws when it cannot. */
  writeAudit(bytes: Uint8Array): number;
  /** A stream to a target begins. */
  onBegin(): void;
  /** A stream to a target is over. */
  onDone(result: TransferResult): void;
}

/** Connects streams to their targets, and writes their audit lines. */
export class StreamHandler {
  readonly #init: StreamHandlerInit;
  readonly #speedTest = new SpeedTest();
  /** Audit lines go to standard output, logs to standard error: they have different readers. */
  readonly #lines: LineWriter;
  readonly #audit: Audit;
  readonly #ages: AgeTimer;

  constructor(init: StreamHandlerInit) {
    const { clock, log } = init;
    this.#init = init;
    this.#lines = new LineWriter(
      clock,
      (bytes) => init.writeAudit(bytes),
      (error) => log.error("audit lines lost", { error: fromOsError(error, "write an audit line").message }),
    );
    this.#audit = createAudit({ write: (line) => this.#lines.add(line), clock });
    this.#ages = new AgeTimer(clock, init.auditOpenAfter, (thrown) => {
      const { message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown));
      log.error("callback failed", { error: message, stack });
    });
  }

  /** Serves a stream of `peer`, which came in `session`. */
  handle(stream: MuxStream, peer: Peer, session: AuditedSession): void {
    const lines = this.#audit({ commonName: peer.commonName, serial: peer.serial }, session);
    const longLived: LongLivedListener = {
      watch: (callback) => this.#ages.add(callback),
      onOpen: lines.open,
    };
    if (isSpeedTest(stream.opening)) {
      // It is not user traffic: a server without any other may sleep.
      const { clock } = this.#init;
      return this.#speedTest.serve(stream, peer.identity, { clock, longLived, onDone: lines.end });
    }
    this.#forward(stream, peer, lines, longLived);
  }

  #forward(stream: MuxStream, peer: Peer, lines: StreamAudit, longLived: LongLivedListener): void {
    const { targets, clock, idleTimeout, onBegin, onDone } = this.#init;
    onBegin();
    const { dial, origins, active, done } = targets.begin(
      peer,
      ({ code, message }) => stream.reset(code, message),
    );
    forward(stream, {
      dial,
      origins,
      idleTimeoutMs: idleTimeout,
      onActive: active,
      clock,
      longLived,
      onDone(result) {
        done();
        lines.end(result);
        onDone(result);
      },
    });
  }

  /** Writes no further lines about streams that stay open for long. */
  stop(): void {
    this.#ages.stop();
  }

  /** Writes the audit lines that are still buffered. */
  flush(): void {
    this.#lines.flush();
  }
}
