import { InvalidArgumentError } from "commander";
import { parseDuration } from "../../shared/config/duration.ts";

/** Milliseconds; figures are late by up to two minutes, and with less of them nothing is known. */
const MIN = 300_000;

/** A time after which servers sleep, as template.yaml takes it too. */
export function idleAfterTime(text: string): string {
  if (/^[1-9]\d{0,5}[smh]$/.test(text) && parseDuration(text)! >= MIN) return text;
  throw new InvalidArgumentError('a time such as "15m", "900s" or "1h" is expected, 5 minutes at the least');
}
