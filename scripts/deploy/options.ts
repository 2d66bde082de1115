import { type Command, InvalidArgumentError } from "commander";
import { parseDuration } from "../../shared/config/duration.ts";

/** Prefixes of AWS' own parameters, which others must not use. */
const RESERVED = /^(aws|ssm)/;

/** Parses the name of an installation; it must suit every resource: a repository allows no two dashes in a row. */
export function installationName(text: string): string {
  if (RESERVED.test(text)) {
    throw new InvalidArgumentError(
      'expected another prefix: "aws" and "ssm" are reserved by AWS',
    );
  }
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text) && text.length >= 2 && text.length <= 31) return text;
  throw new InvalidArgumentError(
    "expected 2 to 31 lower-case letters, digits and single dashes, with a letter first and no dash last",
  );
}

/** Adds the options that select an installation. */
export function installationOptions(command: Command): Command {
  return command
    .option("--name <name>", "name of the installation", installationName, "sallyport")
    .option("--region <region>", "AWS region (default: AWS_REGION, or that of the profile)")
    .option("--profile <profile>", "profile of ~/.aws (default: AWS_PROFILE, or the default profile)");
}

/** Milliseconds; figures are up to two minutes late, and a shorter time would not cover enough of them. */
const MIN_IDLE_MS = 300_000;

/** Parses the time after which servers sleep, as template.yaml does. */
export function idleAfterTime(text: string): string {
  if (/^[1-9]\d{0,5}[smh]$/.test(text) && parseDuration(text)! >= MIN_IDLE_MS) return text;
  throw new InvalidArgumentError('expected a time such as "15m", "900s" or "1h", at least 5 minutes');
}
