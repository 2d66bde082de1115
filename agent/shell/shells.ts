import { singleQuoted } from "../../shared/text/shell_words.ts";

/** Shells with known syntax. */
export const SHELLS = ["bash", "zsh", "sh", "ksh", "dash", "fish", "powershell", "cmd"] as const;

/** One of {@linkcode SHELLS}. */
export type Shell = typeof SHELLS[number];

const posix = (name: string, value: string) => `export ${name}=${singleQuoted(value)}`;

const WRITERS: Readonly<Record<Shell, (name: string, value: string) => string>> = {
  bash: posix,
  zsh: posix,
  sh: posix,
  ksh: posix,
  dash: posix,
  fish: (name, value) => `set -gx ${name} '${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
  // For a batch file; the quotes protect & and |, and a percent sign is doubled.
  cmd: (name, value) => `set "${name}=${value.replaceAll("%", "%%")}"`,
};

/** The shell of a name or a path such as `/usr/bin/zsh` or `pwsh.exe`; undefined for an unknown one. */
export function shellOf(text: string): Shell | undefined {
  const base = text.split(/[/\\]/).at(-1)!.toLowerCase().replace(/\.exe$/, "").replace(/^-/, "");
  const name = base === "pwsh" ? "powershell" : base;
  return SHELLS.find((shell) => shell === name);
}

/**
 * Lines that set variables, for a shell to evaluate. On Windows, names that differ only in case are the same.
 *
 * @param shell One of {@linkcode SHELLS}, or the path of another one, which gets POSIX syntax and a comment.
 */
export function settingLines(shell: string, variables: Readonly<Record<string, string>>): string {
  const known = shellOf(shell);
  const isWindows = known === "powershell" || known === "cmd";
  const entries = Object.entries(variables);
  const upper = new Set(entries.map(([name]) => name).filter((name) => name === name.toUpperCase()));
  const kept = isWindows
    ? entries.filter(([name]) => upper.has(name) || !upper.has(name.toUpperCase()))
    : entries;
  const comment = known === undefined
    ? `# unknown shell ${JSON.stringify(shell)}: these lines are for POSIX shells\n`
    : "";
  return comment + kept.map(([name, value]) => `${WRITERS[known ?? "sh"](name, value)}\n`).join("");
}
