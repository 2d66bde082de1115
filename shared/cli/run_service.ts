import { errorLines, EXIT, type Terminal } from "./terminal.ts";
import type { ReloadSource, SignalSource } from "./signals.ts";

/** A program that runs until it is stopped. */
export interface Service {
  /** Settles when it has stopped; rejects if it stopped because of an error. */
  readonly closed: Promise<void>;
  /** Accepts nothing new, finishes what is in progress within its own limit, and stops. */
  drain(reason: string): Promise<void>;
  /** Reloads what may have changed, such as certificates; never rejects. @default {nothing to reload} */
  reload?(reason: string): Promise<void>;
}

/** What {@linkcode runConfigured} needs. */
export interface ConfiguredRun<C> {
  /** The program's name in errors. */
  readonly name: string;
  /** Reads the configuration. */
  load(): Promise<C>;
  readonly terminal: Terminal;
}

/** What {@linkcode runService} needs. */
export interface ServiceRun<C> extends ConfiguredRun<C> {
  /** Starts the service and returns when it is up. */
  start(config: C): Promise<Service>;
  readonly signals: SignalSource;
  /** Requests reloads; `Service.reload` is called once the service is up. @default {none} */
  readonly reloadSignals?: ReloadSource;
}

/**
 * Reads the configuration and runs a command with it.
 *
 * @returns The command's exit code, or 2 if the configuration cannot be used, after its errors went to `terminal.err`.
 */
export async function runConfigured<C>(
  { name, load, terminal }: ConfiguredRun<C>,
  command: (config: C) => Promise<number>,
): Promise<number> {
  let config: C;
  try {
    config = await load();
  } catch (error) {
    errorLines(name, error).forEach((line) => terminal.err(line));
    return EXIT.usage;
  }
  return await command(config);
}

/**
 * Runs a service: the first signal drains it, the second ends it at once.
 *
 * @returns The exit code: 0 if it stopped on request, 1 if it failed or was ended at once, 2 if its configuration cannot
 * be used. Errors go to `terminal.err`.
 */
export function runService<C>(run: ServiceRun<C>): Promise<number> {
  return runConfigured(run, (config) => serveUntilStopped(run, config));
}

async function serveUntilStopped<C>(run: ServiceRun<C>, config: C): Promise<number> {
  const stopping = Promise.withResolvers<string>();
  const aborted = Promise.withResolvers<"aborted">();
  // Listens before the start, so that a signal during it is not lost.
  const up = Promise.withResolvers<Service>();
  const stopReloads = run.reloadSignals?.((name) =>
    void up.promise.then((service) => service.reload?.(name))
  );
  const stopListening = run.signals((name, count) =>
    count === 1 ? stopping.resolve(name) : aborted.resolve("aborted")
  );
  try {
    const result = await Promise.race([serve(run, config, stopping.promise, up.resolve), aborted.promise]);
    return result === "aborted" ? EXIT.failure : EXIT.ok;
  } catch (error) {
    errorLines(run.name, error).forEach((line) => run.terminal.err(line));
    return EXIT.failure;
  } finally {
    stopListening();
    stopReloads?.();
  }
}

async function serve<C>(
  run: ServiceRun<C>,
  config: C,
  stopping: Promise<string>,
  isUp: (service: Service) => void,
): Promise<void> {
  const service = await run.start(config);
  isUp(service);
  const reason = await Promise.race([stopping, service.closed]);
  if (reason === undefined) return;
  await Promise.all([service.drain(reason), service.closed]);
}
