import assert from "node:assert/strict";
import { withFolder } from "../../tests/support/pki/certificate_folder.ts";
import * as certificates from "../certs/commands.ts";
import { serverCli } from "../../server/cli/cli.ts";
import { agentCli } from "./cli.ts";

const DAY_MS = 86_400_000;

async function run(...args: string[]): Promise<string> {
  let out = "";
  const not = () => assert.fail("it was not asked for");
  const commands = { run: not, status: not, env: not, exec: not, doctor: not };
  const all = { ...commands, certificates: () => Promise.resolve(certificates) };
  const terminal = { out: (text: string) => out += text, err: (text: string) => assert.fail(text) };
  assert.equal(await agentCli(args, all, terminal), 0, out);
  return out.replace(/\s+/g, " ");
}

/** The default of an option in a command's help. */
async function saidDefault(command: string, option: string): Promise<string> {
  const help = await run("certs", command, "--help");
  const [, said] = new RegExp(`${option} <\\w+> (?:(?! --[\\w-]+ ).)*?\\(default: ([^)]+)\\)`).exec(help) ??
    [];
  return said ?? assert.fail(`certs ${command} --help has no default of ${option}: ${help}`);
}

Deno.test("the help of certs shows the actual defaults", () =>
  withFolder(async (dir) => {
    await run("certs", "init", "--dir", dir);
    await run("certs", "issue", "--dir", dir, "--name", "laptop");
    await run("certs", "issue", "--dir", dir, "--name", "other", "--server");
    const reports = await certificates.show({ dir });
    const found = (name: string) => reports.find(({ file }) => file.endsWith(`/${name}.crt`));
    const days = (name: string) => {
      const report = found(name);
      assert.ok(report?.kind === "certificate");
      return (Date.parse(report.notAfter) - Date.parse(report.notBefore)) / DAY_MS;
    };
    const subject = (name: string) => {
      const report = found(name);
      assert.ok(report?.kind === "certificate");
      return report.subject;
    };
    for (const name of ["server", "client"]) {
      assert.equal(days(name), Number(await saidDefault("init", "--days")));
    }
    for (const name of ["laptop", "other"]) {
      assert.equal(days(name), Number(await saidDefault("issue", "--days")));
    }
    assert.equal(subject("server"), `CN=${await saidDefault("init", "--server-name")}`);
    assert.equal(subject("client"), `CN=${await saidDefault("init", "--client-name")}`);
    assert.equal(subject("other"), `CN=${await saidDefault("issue", "--server-name")}`);

    const listDays = async () => {
      const [list] = (await certificates.show({ files: [`${dir}/crl.pem`] })).filter(({ kind }) =>
        kind === "crl"
      );
      assert.ok(list?.kind === "crl");
      return (Date.parse(list.nextUpdate!) - Date.parse(list.thisUpdate)) / DAY_MS;
    };
    const [, ofInit] = /crl\.pem for (\d+) days/.exec(await run("certs", "init", "--help")) ?? [];
    assert.equal(await listDays(), Number(ofInit));
    await run("certs", "crl", "--dir", dir);
    assert.equal(await listDays(), Number(await saidDefault("crl", "--days")));
    await run("certs", "revoke", "--dir", dir, "--name", "laptop");
    assert.equal(await listDays(), Number(await saidDefault("revoke", "--days")));
    const [report] = await certificates.show({ files: [`${dir}/laptop.crt`] });
    assert.ok(report?.kind === "certificate" && report.revocation.state === "revoked");
    assert.equal(report.revocation.reason, await saidDefault("revoke", "--reason"));
  }));

/** Options of the programs that take a value: the unit in their help, and whether they have a default. */
const VALUES: Readonly<Record<string, { unit?: RegExp; hasDefault?: boolean }>> = {
  "--config <file>": { unit: /YAML file/, hasDefault: true },
  "--shell <shell>": { unit: /name or path/, hasDefault: true },
  "--control <url>": { unit: /HTTP/, hasDefault: true },
  "--page <url>": { unit: /HTTP/, hasDefault: true },
  "--timeout <duration>": { unit: /"500ms"/, hasDefault: true },
  "--days <days>": { unit: /days/, hasDefault: true },
  "--server-name <name>": { unit: /name/, hasDefault: true },
  "--client-name <name>": { unit: /name/, hasDefault: true },
  "--reason <reason>": { unit: /choices/, hasDefault: true },
  "--serial <hex>": { unit: /serial number/ },
  "--dir <dir>": {},
  "--name <name>": { unit: /name|certificate/i },
  "--dns <name>": { unit: /name/ },
  "--uri <uri>": { unit: /URI/i },
};

/** The options of a help, each with its description on one line. */
function optionsOf(help: string): [option: string, description: string][] {
  const [, text = ""] = /\nOptions:\n([^]*?)(?:\n\n|$)/.exec(help) ?? [];
  return text.replace(/\n {5,}/g, " ").split("\n").filter((line) => line.trim() !== "").map((line) => {
    const [, option = "", description = ""] = /^ +(?:-\w, )?(--\S+(?: <[^>]+>)?) +(.*)$/.exec(line) ?? [];
    return [option, description];
  });
}

Deno.test("every option in the help shows its unit, and its default if it has one", async () => {
  const agent = (args: string[]) => helpOf((out) => agentCli(args, COMMANDS, { out, err: assert.fail }));
  const none = () => assert.fail("it was not asked for");
  const server = (args: string[]) =>
    helpOf((out) => serverCli(args, { run: none, health: none }, { out, err: assert.fail }));
  const certs = ["init", "issue", "renew", "revoke", "crl", "show"].map((name) => ["certs", name]);
  const helps = [
    ...["run", "status", "env", "exec", "doctor", "certs"].map((name) => agent([name, "--help"])),
    ...certs.map((args) => agent([...args, "--help"])),
    ...["run", "health"].map((name) => server([name, "--help"])),
  ];
  const seen = new Set<string>();
  for (const help of await Promise.all(helps)) {
    for (const [option, description] of optionsOf(help)) {
      assert.notEqual(description, "", help);
      if (!option.includes("<")) continue;
      const value = VALUES[option] ?? assert.fail(`${option} is not in this test's table`);
      seen.add(option);
      assert.match(description, value.unit ?? /./, option);
      assert.equal(/default: /.test(description), value.hasDefault ?? false, `${option}: ${description}`);
    }
  }
  assert.deepEqual([...seen].sort(), Object.keys(VALUES).sort());
});

const COMMANDS: Parameters<typeof agentCli>[1] = {
  run: () => assert.fail("it was not asked for"),
  status: () => assert.fail("it was not asked for"),
  env: () => assert.fail("it was not asked for"),
  exec: () => assert.fail("it was not asked for"),
  doctor: () => assert.fail("it was not asked for"),
  certificates: () => assert.fail("it was not asked for"),
};

async function helpOf(run: (out: (text: string) => void) => Promise<number>): Promise<string> {
  let help = "";
  assert.equal(await run((text) => void (help += text)), 0);
  return help;
}
