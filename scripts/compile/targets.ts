/** Platforms of the executables: the name in file names, and Deno's name. */
export const TARGETS = {
  "linux-x64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
  "macos-x64": "x86_64-apple-darwin",
  "macos-arm64": "aarch64-apple-darwin",
  "windows-x64": "x86_64-pc-windows-msvc",
} as const;

/** A key of {@linkcode TARGETS}. */
export type Target = keyof typeof TARGETS;

/** The programs that are compiled. */
export const PROGRAMS = ["agent", "server"] as const;

/** One of {@linkcode PROGRAMS}. */
export type ProgramName = typeof PROGRAMS[number];

/** The platform of this machine; undefined when it is not supported. */
export function ownTarget(): Target | undefined {
  return (Object.keys(TARGETS) as Target[]).find((target) => TARGETS[target] === Deno.build.target);
}

/** File name of an executable. */
export function fileName(program: ProgramName, target: Target): string {
  return `${program}-${target}${target.startsWith("windows") ? ".exe" : ""}`;
}
