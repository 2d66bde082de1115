import { type Command, InvalidArgumentError } from "commander";

/** Of AWS' own parameters; nobody else's may begin like that. */
const RESERVED = /^(aws|ssm)/;

/** A name that everything which is named after it can bear: a repository takes no two dashes in a row, for one. */
export function installationName(text: string): string {
  if (RESERVED.test(text)) {
    throw new InvalidArgumentError(
      'another beginning is expected, since "aws" and "ssm" are reserved by AWS',
    );
  }
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text) && text.length >= 2 && text.length <= 31) return text;
  throw new InvalidArgumentError(
    "2 to 31 small letters, digits and single dashes are expected, a letter first and no dash last",
  );
}

/** Adds the options that tell which installation is meant. */
export function installationOptions(command: Command): Command {
  return command
    .option("--name <name>", "name of the installation", installationName, "sallyport")
    .option("--region <region>", "region of AWS; without it AWS_REGION or the profile's counts")
    .option("--profile <profile>", "profile of ~/.aws; without it AWS_PROFILE or the default counts");
}
