/** Shells whose language is known. */
export const SHELLS = ["bash", "fish", "powershell"] as const;

/** One of {@linkcode SHELLS}. */
export type Shell = typeof SHELLS[number];

const WRITERS: Readonly<Record<Shell, (name: string, value: string) => string>> = {
  // Inside of these quotes every shell of that kind takes everything as it is, but the quote itself.
  bash: (name, value) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`,
  fish: (name, value) => `set -gx ${name} '${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
};

/** Lines that set variables, for a shell to evaluate. Names that differ only in their case are one on Windows. */
export function settingLines(shell: Shell, variables: Readonly<Record<string, string>>): string {
  const entries = Object.entries(variables);
  const kept = shell === "powershell" ? entries.filter(([name]) => name === name.toUpperCase()) : entries;
  return kept.map(([name, value]) => `${WRITERS[shell](name, value)}\n`).join("");
}
