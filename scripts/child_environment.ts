/**
 * The environment for a program that is started with a configuration of its own: this process's, without
 * `SALLYPORT_*`, which would win over the configuration file, and without the loader's variables, which Deno
 * hands on only with the right to run anything. To be used with `clearEnv: true`.
 */
export function childEnvironment(): Record<string, string> {
  const kept = Object.entries(Deno.env.toObject()).filter(([name]) => !/^(SALLYPORT_|LD_|DYLD_)/.test(name));
  return Object.fromEntries(kept);
}
