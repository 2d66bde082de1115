/** Machines that executables are made for, by the name that their files carry, with Deno's name of each. */
export const TARGETS = {
  "linux-x64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
  "macos-x64": "x86_64-apple-darwin",
  "macos-arm64": "aarch64-apple-darwin",
  "windows-x64": "x86_64-pc-windows-msvc",
} as const;

/** A key of {@linkcode TARGETS}. */
export type Target = keyof typeof TARGETS;

/** The programs that are made. */
export const PROGRAMS = ["agent", "server"] as const;

/** One of {@linkcode PROGRAMS}. */
export type ProgramName = typeof PROGRAMS[number];

/** The machine that this is; undefined when no executables are made for it. */
export function ownTarget(): Target | undefined {
  return (Object.keys(TARGETS) as Target[]).find((target) => TARGETS[target] === Deno.build.target);
}

/** Name of an executable's file. */
export function fileName(program: ProgramName, target: Target): string {
  return `${program}-${target}${target.startsWith("windows") ? ".exe" : ""}`;
}
