import type { LogFields, Logger } from "../../shared/log.ts";

/** A logged line. */
export interface LogNote {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that records its lines. */
export class LogNotes implements Logger {
  readonly notes: LogNote[] = [];

  debug(message: string, fields: LogFields = {}): void {
    this.notes.push({ level: "debug", message, fields });
  }

  info(message: string, fields: LogFields = {}): void {
    this.notes.push({ level: "info", message, fields });
  }

  warn(message: string, fields: LogFields = {}): void {
    this.notes.push({ level: "warn", message, fields });
  }

  error(message: string, fields: LogFields = {}): void {
    this.notes.push({ level: "error", message, fields });
  }

  /** Removes and returns the lines so far, as level and message. */
  take(): string[] {
    return this.notes.splice(0).map(({ level, message }) => `${level}: ${message}`);
  }
}
