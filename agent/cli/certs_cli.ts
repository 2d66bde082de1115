import { type Command, InvalidArgumentError, Option } from "commander";
import { EXIT, type Terminal } from "../../shared/cli/terminal.ts";
import { printable, printableJson } from "../../shared/text/sanitize.ts";
import type { InitOptions } from "../certs/init.ts";
import type { IssueOptions } from "../certs/issue.ts";
import {
  AUTHORITY_DAYS,
  DEFAULT_CLIENT_NAME,
  DEFAULT_DAYS,
  DEFAULT_LIST_DAYS,
  DEFAULT_SERVER_NAME,
  MAX_DAYS,
} from "../certs/authority/limits.ts";
import {
  FILE_NAME_RULE,
  isDnsName,
  isFileName,
  isServerName,
  isUri,
  SERIAL_RULE,
  serialOf,
} from "../certs/authority/names.ts";
import type { CommandResult } from "../certs/command_result.ts";
import type { RenewOptions } from "../certs/renew.ts";
import type { Report } from "../certs/report/report.ts";
import { reportText } from "../certs/report/report_text.ts";
import { GIVEN_REASONS, type GivenReason } from "../certs/revocation/revocation_reasons.ts";
import type { ListRenewal, RevokeOptions } from "../certs/revoke.ts";
import type { ShowOptions } from "../certs/report/show.ts";

/** The implementation of the `certs` commands. */
export interface CertificateCommands {
  /** Creates a CA, a server and a client certificate, and an empty revocation list. */
  init(options: InitOptions): Promise<{ readonly files: readonly string[] }>;
  /** Issues a certificate. */
  issue(options: IssueOptions): Promise<CommandResult>;
  /** Replaces a certificate with a new one. */
  renew(options: RenewOptions): Promise<CommandResult>;
  /** Revokes a certificate. */
  revoke(options: RevokeOptions): Promise<CommandResult>;
  /** Signs the revocation list again. */
  crl(options: ListRenewal): Promise<CommandResult>;
  /** Reports on certificates and revocation lists. */
  show(options: ShowOptions): Promise<readonly Report[]>;
}

/** What {@linkcode addCertificateCommands} needs. */
export interface CertificateCli {
  readonly terminal: Terminal;
  /** Loads the implementation. */
  load(): Promise<CertificateCommands>;
  /** Sets the exit code of a command that threw no error. */
  exitWith(code: number): void;
}

type Adder = (certs: Command, cli: CertificateCli) => void;

/** Adds `certs` and the commands below it to a program. */
export function addCertificateCommands(program: Command, cli: CertificateCli): void {
  const certs = program.command("certs").description("certificates for mutual TLS");
  const adders: Adder[] = [addInit, addIssue, addRenew, addRevoke, addCrl, addShow];
  for (const add of adders) add(certs, cli);
}

const addInit: Adder = (certs, cli) => {
  certs.command("init")
    .description(
      "create a private CA, a server certificate, a client certificate and an empty crl.pem; never overwrites",
    )
    .requiredOption("--dir <dir>", "folder for the files")
    .option(
      "--server-name <name>",
      `name in the server's certificate (default: ${DEFAULT_SERVER_NAME})`,
      parseServerName,
    )
    .option(
      "--client-name <name>",
      `common name of the client's certificate (default: ${DEFAULT_CLIENT_NAME})`,
    )
    .option(
      "--days <days>",
      `days for which the server and client certificates are valid (default: ${DEFAULT_DAYS})`,
      parseDays,
    )
    .addHelpText(
      "after",
      `\nThe CA is valid for ${AUTHORITY_DAYS} days, or --days if that is more; crl.pem for ${DEFAULT_LIST_DAYS} days.`,
    )
    .action(async (options: InitOptions) => {
      const { init } = await cli.load();
      printResult(cli, { ...await init(options), notes: [] });
    });
};

const addIssue: Adder = (certs, cli) => {
  certs.command("issue")
    .description("issue a certificate: write NAME.crt and NAME.key; never overwrites")
    .requiredOption("--dir <dir>", "folder of ca.crt, ca.key and the new files")
    .requiredOption("--name <name>", "name of the files; also the common name of a client", parseName)
    .option(
      "--days <days>",
      `days for which it is valid, at most until the CA expires (default: ${DEFAULT_DAYS})`,
      parseDays,
    )
    .option("--dns <name>", "DNS alternative name; may be repeated", collect(isDnsName, "a host name"))
    .option(
      "--uri <uri>",
      "URI alternative name; may be repeated",
      collect(isUri, "a URI in ASCII"),
    )
    .option("--server", "issue a server certificate instead of a client certificate")
    .option(
      "--server-name <name>",
      `with --server: name or address in the certificate (default: ${DEFAULT_SERVER_NAME})`,
      parseServerName,
    )
    .action(async (options: IssueOptions, command: Command) => {
      if (options.serverName !== undefined && !options.server) {
        command.error("error: option '--server-name <name>' needs '--server'");
      }
      const { issue } = await cli.load();
      printResult(cli, await issue(options));
    });
};

const addRenew: Adder = (certs, cli) => {
  certs.command("renew")
    .description(
      "renew a certificate: same names and uses, new key; the old files are kept as NAME.crt.old and NAME.key.old " +
        "(those of an earlier renewal are replaced)",
    )
    .requiredOption("--dir <dir>", "folder of ca.crt, ca.key and the certificate")
    .requiredOption("--name <name>", "name of the certificate's files", parseName)
    .option(
      "--days <days>",
      "days for which the new certificate is valid (default: same as the old one)",
      parseDays,
    )
    .option("--keep-key", "keep the existing key instead of generating one")
    .addHelpText(
      "after",
      "\nEach file is replaced atomically, the key first and the certificate right after it: a program that reads\n" +
        "them in between keeps what it had and tries again. The old certificate stays valid until it expires or\n" +
        "is revoked.",
    )
    .action(async (options: RenewOptions) => {
      const { renew } = await cli.load();
      printResult(cli, await renew(options));
    });
};

/** Options on the command line of `revoke`. */
interface RevokeLine extends ListRenewal {
  name?: string;
  serial?: string;
  reason?: GivenReason;
}

const addRevoke: Adder = (certs, cli) => {
  certs.command("revoke")
    .description("revoke a certificate: add it to crl.pem, the list for crl_file of server and agents")
    .requiredOption("--dir <dir>", "folder of ca.crt, ca.key and crl.pem")
    .option("--name <name>", "revoke NAME.crt, and NAME.crt.old if it is still valid", parseName)
    .addOption(
      new Option("--serial <hex>", "serial number, for a certificate without a file here").conflicts("name")
        .argParser(parseSerial),
    )
    .addOption(
      new Option("--reason <reason>", "reason in the list (default: unspecified)").choices(GIVEN_REASONS),
    )
    .option("--days <days>", `days for which crl.pem is valid (default: ${DEFAULT_LIST_DAYS})`, parseDays)
    .action(async ({ name, serial, ...rest }: RevokeLine, command: Command) => {
      const which = name !== undefined ? { name } : serial !== undefined ? { serial } : undefined;
      if (which === undefined) {
        command.error("error: one of the options '--name <name>' and '--serial <hex>' is needed");
      }
      const { revoke } = await cli.load();
      printResult(cli, await revoke({ ...rest, which }));
    });
};

const addCrl: Adder = (certs, cli) => {
  certs.command("crl")
    .description("sign crl.pem again with the same entries, before it expires")
    .requiredOption("--dir <dir>", "folder of ca.crt, ca.key and crl.pem")
    .option("--days <days>", `days for which crl.pem is valid (default: ${DEFAULT_LIST_DAYS})`, parseDays)
    .addHelpText(
      "after",
      "\nPrograms that trust several CAs need the list of each, PEM, in one file: run this in the folder of each CA\n" +
        "and combine the lists, for example: cat old/crl.pem new/crl.pem > crl.pem",
    )
    .action(async (options: ListRenewal) => {
      const { crl } = await cli.load();
      printResult(cli, await crl(options));
    });
};

const addShow: Adder = (certs, cli) => {
  certs.command("show")
    .description("show certificates and revocation lists, and what is wrong with them")
    .argument("[files...]", "files to show, PEM or DER")
    .option("--dir <dir>", "show every .crt file and crl.pem of a folder")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nEach certificate is checked against ca.crt, crl.pem and its key file in the same folder. Exits with 1 when\n" +
        "something is expired, not yet valid, revoked, does not match or cannot be read.",
    )
    .action(async (files: string[], { dir, json }: { dir?: string; json?: true }, command: Command) => {
      if (dir === undefined && files.length === 0) {
        command.error("error: option '--dir <dir>' or a file is needed");
      }
      const { show } = await cli.load();
      const reports = await show({ files, ...dir === undefined ? {} : { dir } });
      cli.terminal.out(
        json ? `${printableJson(JSON.stringify(reports, null, 2))}\n` : reportText(reports),
      );
      cli.exitWith(reports.some(({ problems }) => problems.length > 0) ? EXIT.failure : EXIT.ok);
    });
};

function printResult({ terminal }: CertificateCli, { files, notes }: CommandResult): void {
  terminal.out(
    [...files.map((file) => `wrote ${file}`), ...notes].map((line) => `${printable(line)}\n`).join(""),
  );
}

function parseDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,5}$/.test(text) && days > 0 && days <= MAX_DAYS) return days;
  throw new InvalidArgumentError(`expected a whole number from 1 to ${MAX_DAYS}.`);
}

function parseName(text: string): string {
  if (isFileName(text)) return text;
  throw new InvalidArgumentError(`expected ${FILE_NAME_RULE}.`);
}

function parseServerName(text: string): string {
  if (isServerName(text)) return text;
  throw new InvalidArgumentError("expected a host name or an address.");
}

function parseSerial(text: string): string {
  const serial = serialOf(text);
  if (serial !== undefined) return serial;
  throw new InvalidArgumentError(`expected ${SERIAL_RULE}.`);
}

/** Collects the values of an option that may be repeated. */
function collect(isGood: (text: string) => boolean, expected: string) {
  return (text: string, before: string[] = []): string[] => {
    if (isGood(text)) return [...before, text];
    throw new InvalidArgumentError(`expected ${expected}.`);
  };
}
