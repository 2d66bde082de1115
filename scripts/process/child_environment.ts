/**
 * The environment for a program that is started with its own configuration file: this process's, without
 * `SALLYPORT_*`, which would override the file, without the dynamic linker's variables, which Deno passes on only with
 * the permission to run anything, and without `INIT_CWD`, which relative paths of the program would be resolved
 * against. Use it with `clearEnv: true`.
 */
export function childEnvironment(): Record<string, string> {
  const kept = Object.entries(Deno.env.toObject()).filter(([name]) =>
    !/^(SALLYPORT_|LD_|DYLD_|INIT_CWD$)/.test(name)
  );
  return Object.fromEntries(kept);
}
