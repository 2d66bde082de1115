import { escapeForDisplay } from "../../shared/display_json.ts";
import { printable } from "../../shared/display_text.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { EXIT } from "../../shared/cli/exit.ts";
import type { Terminal } from "../../shared/cli/run_program.ts";
import type { InitOptions } from "../certs/init.ts";
import type { IssueOptions } from "../certs/issue.ts";
import { MAX_DAYS } from "../certs/limits.ts";
import { FILE_NAME_RULE, isDnsName, isFileName, isUri, SERIAL_RULE, serialOf } from "../certs/names.ts";
import type { Outcome } from "../certs/outcome.ts";
import type { RenewOptions } from "../certs/renew.ts";
import type { Report } from "../certs/report.ts";
import { reportText } from "../certs/report_text.ts";
import { GIVEN_REASONS, type GivenReason } from "../certs/revocation_reasons.ts";
import type { ListRenewal, RevokeOptions } from "../certs/revoke.ts";
import type { ShowOptions } from "../certs/show.ts";

/** What the commands below `certs` do. */
export interface CertificateCommands {
  /** Makes a CA, a certificate of each kind and an empty revocation list. */
  init(options: InitOptions): Promise<{ readonly files: readonly string[] }>;
  /** Makes one more certificate. */
  issue(options: IssueOptions): Promise<Outcome>;
  /** Makes a certificate in place of another. */
  renew(options: RenewOptions): Promise<Outcome>;
  /** Takes a certificate back. */
  revoke(options: RevokeOptions): Promise<Outcome>;
  /** Signs the revocation list anew. */
  crl(options: ListRenewal): Promise<Outcome>;
  /** Reports on certificates and revocation lists. */
  show(options: ShowOptions): Promise<readonly Report[]>;
}

/** What {@linkcode addCertificateCommands} needs. */
export interface CertificateCli {
  readonly terminal: Terminal;
  /** Loads what stands behind the commands. */
  load(): Promise<CertificateCommands>;
  /** Is told the exit code of a command that ran without an error. */
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
      "make a private CA, a server and a client certificate and an empty crl.pem; never overwrites",
    )
    .requiredOption("--dir <dir>", "where to put them")
    .option("--server-name <name>", "name in the server's certificate")
    .option("--client-name <name>", "common name of the client's certificate")
    .option("--days <days>", "how long they are good", parseDays)
    .action(async (options: InitOptions) => {
      const { init } = await cli.load();
      tell(cli, { ...await init(options), notes: [] });
    });
};

const addIssue: Adder = (certs, cli) => {
  certs.command("issue")
    .description("make one more certificate of the CA, NAME.crt and NAME.key; never overwrites")
    .requiredOption("--dir <dir>", "folder of ca.crt and ca.key, and of the new files")
    .requiredOption("--name <name>", "name of the files, and common name of a client", parseName)
    .option("--days <days>", "how long it is good, at most as long as the CA (default: 825)", parseDays)
    .option("--dns <name>", "alternative name of DNS; may be repeated", collect(isDnsName, "a host name"))
    .option(
      "--uri <uri>",
      "alternative name that is a URI; may be repeated",
      collect(isUri, "a URI in ASCII"),
    )
    .option("--server", "a server's certificate instead of a client's")
    .option(
      "--server-name <name>",
      "with --server: name or address that it carries (default: sallyport-server)",
    )
    .action(async (options: IssueOptions, command: Command) => {
      if (options.serverName !== undefined && !options.server) {
        command.error("error: option '--server-name <name>' needs '--server'");
      }
      const { issue } = await cli.load();
      tell(cli, await issue(options));
    });
};

const addRenew: Adder = (certs, cli) => {
  certs.command("renew")
    .description(
      "make a certificate with the same names and uses and a new key in place of NAME.crt and NAME.key; the old " +
        "files stay as NAME.crt.old and NAME.key.old (those of a renewal before are replaced)",
    )
    .requiredOption("--dir <dir>", "folder of ca.crt, ca.key and the certificate")
    .requiredOption("--name <name>", "name of the certificate's files", parseName)
    .option("--days <days>", "how long the new one is good (default: as long as the old one)", parseDays)
    .option("--keep-key", "certify the key that is there instead of a new one")
    .addHelpText(
      "after",
      "\nEach file is replaced in one step, the key first and the certificate right after it: a program that\n" +
        "reads them in between keeps what it had and looks again. The old certificate stays good until it ends\n" +
        "or is revoked.",
    )
    .action(async (options: RenewOptions) => {
      const { renew } = await cli.load();
      tell(cli, await renew(options));
    });
};

/** What the command line of `revoke` gives. */
interface RevokeLine extends ListRenewal {
  name?: string;
  serial?: string;
  reason?: GivenReason;
}

const addRevoke: Adder = (certs, cli) => {
  certs.command("revoke")
    .description("take a certificate back: add it to crl.pem, which crl_file of server and agents names")
    .requiredOption("--dir <dir>", "folder of ca.crt, ca.key and crl.pem")
    .option("--name <name>", "the certificate NAME.crt, and NAME.crt.old if it is still good", parseName)
    .addOption(
      new Option("--serial <hex>", "serial number, for a certificate that is not there").conflicts("name")
        .argParser(parseSerial),
    )
    .addOption(new Option("--reason <reason>", "why (default: unspecified)").choices(GIVEN_REASONS))
    .option("--days <days>", "until the next list is due (default: 825)", parseDays)
    .action(async ({ name, serial, ...rest }: RevokeLine, command: Command) => {
      const which = name !== undefined ? { name } : serial !== undefined ? { serial } : undefined;
      if (which === undefined) {
        command.error("error: one of the options '--name <name>' and '--serial <hex>' is needed");
      }
      const { revoke } = await cli.load();
      tell(cli, await revoke({ ...rest, which }));
    });
};

const addCrl: Adder = (certs, cli) => {
  certs.command("crl")
    .description("sign crl.pem again before it ends, with the entries that it has")
    .requiredOption("--dir <dir>", "folder of ca.crt, ca.key and crl.pem")
    .option("--days <days>", "until the next list is due (default: 825)", parseDays)
    .addHelpText(
      "after",
      "\nPrograms that trust several CAs need the list of each, PEM, in one file: run this in the folder of each CA\n" +
        "and join the lists, for example: cat old/crl.pem new/crl.pem > crl.pem",
    )
    .action(async (options: ListRenewal) => {
      const { crl } = await cli.load();
      tell(cli, await crl(options));
    });
};

const addShow: Adder = (certs, cli) => {
  certs.command("show")
    .description("tell what certificates and revocation lists say, and what is wrong with them")
    .argument("[files...]", "files to show, PEM or DER")
    .option("--dir <dir>", "show every .crt file and crl.pem of a folder")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      "\nThe ca.crt, crl.pem and key file beside a certificate are looked at too. Exits with 1 when something\n" +
        "expired, is not yet valid, was revoked, does not fit or cannot be read.",
    )
    .action(async (files: string[], { dir, json }: { dir?: string; json?: true }, command: Command) => {
      if (dir === undefined && files.length === 0) {
        command.error("error: option '--dir <dir>' or a file is needed");
      }
      const { show } = await cli.load();
      const reports = await show({ files, ...dir === undefined ? {} : { dir } });
      cli.terminal.out(
        json ? `${escapeForDisplay(JSON.stringify(reports, null, 2))}\n` : reportText(reports),
      );
      cli.exitWith(reports.some(({ problems }) => problems.length > 0) ? EXIT.failure : EXIT.ok);
    });
};

function tell({ terminal }: CertificateCli, { files, notes }: Outcome): void {
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

function parseSerial(text: string): string {
  const serial = serialOf(text);
  if (serial !== undefined) return serial;
  throw new InvalidArgumentError(`expected ${SERIAL_RULE}.`);
}

/** Gathers the values of an option that may be repeated. */
function collect(isGood: (text: string) => boolean, expected: string) {
  return (text: string, before: string[] = []): string[] => {
    if (isGood(text)) return [...before, text];
    throw new InvalidArgumentError(`expected ${expected}.`);
  };
}
