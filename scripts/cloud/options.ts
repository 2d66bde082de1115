import { type Command, InvalidArgumentError } from "commander";

/** A name that everything which is named after it can bear. */
function installationName(text: string): string {
  if (/^[a-z][a-z0-9-]{1,30}$/.test(text)) return text;
  throw new InvalidArgumentError("2 to 31 small letters, digits and dashes are expected, a letter first");
}

/** Adds the options that tell which installation is meant. */
export function installationOptions(command: Command): Command {
  return command
    .option("--name <name>", "name of the installation", installationName, "sallyport")
    .option("--region <region>", "region of AWS; without it AWS_REGION or the profile's counts")
    .option("--profile <profile>", "profile of ~/.aws; without it AWS_PROFILE or the default counts");
}
