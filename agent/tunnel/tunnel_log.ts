import { agentCommand } from "../../shared/cli/command_line.ts";
import type { Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import { callbackFields, type Logger } from "../../shared/log.ts";
import { OutageLog } from "../../shared/resilience/outage_log.ts";

/** Logs what happens to a tunnel; of an outage the first failure, and one a minute. */
export class TunnelLog {
  readonly #log: Logger;
  readonly #doctor: string;
  /** For dialling, and for finding the server. */
  readonly #dialOutage: OutageLog;
  readonly #searchOutage: OutageLog;

  /** @param doctor The command line that finds the cause of a failure. @default {without a configuration file} */
  constructor(log: Logger, clock: Clock, doctor = agentCommand("doctor")) {
    this.#log = log;
    this.#doctor = doctor;
    this.#dialOutage = new OutageLog({ clock });
    this.#searchOutage = new OutageLog({ clock });
  }

  /** A session is open; there are so many now. */
  ready(sessions: number): void {
    this.#searchOutage.recovered();
    this.#log.info("tunnel ready", { sessions, ...this.#dialOutage.recovered() });
  }

  /** An attempt to connect failed. */
  dialFailed(error: SallyportError): void {
    this.#warn("connection failed", error, this.#dialOutage);
  }

  /** No server was found; `error` is undefined if none is needed. */
  notFound(error: SallyportError | undefined): void {
    if (error === undefined) this.#log.info("server is asleep; the next request wakes it");
    else this.#warn("server not found", error, this.#searchOutage);
  }

  /** A session lost its last connection and waits for another one. */
  resuming(streams: number, error: SallyportError | undefined): void {
    this.#log.warn("connection lost, resuming", { error: error?.message, code: error?.code, streams });
  }

  /** A session is over; `error` is undefined if the server drained it. */
  lost(error: SallyportError | undefined): void {
    this.#log.warn("session lost", {
      error: error?.message ?? "drained by the server",
      code: error?.code,
    });
  }

  /** A resumed session drained, since another one was opened while it had no connection. */
  replaced(): void {
    this.#log.info("replaced session ended");
  }

  /** A callback of a stream or a session threw. */
  callbackFailed(error: SallyportError): void {
    this.#log.error("callback failed", callbackFields(error));
  }

  #warn(event: string, { message, code }: SallyportError, log: OutageLog): void {
    const outage = log.failed(message);
    if (outage === undefined) return;
    const advice = `run ${this.#doctor} to find the cause`;
    this.#log.warn(event, { error: message, code, ...outage, advice });
  }
}
