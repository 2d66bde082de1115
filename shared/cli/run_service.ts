import { complaint } from "./explain.ts";
import { EXIT } from "./exit.ts";
import type { Terminal } from "./run_program.ts";
import type { ReloadSource } from "./reload_signals.ts";
import type { SignalSource } from "./stop_signals.ts";

/** A program that runs until it is told to stop. */
export interface Service {
  /** Settles when nothing of it is left; rejects when it died of something. */
  readonly closed: Promise<void>;
  /** Takes nothing new, finishes what is under way within a limit of its own, and closes. */
  drain(reason: string): Promise<void>;
  /** Reads again what may have changed, such as certificates; never rejects. @default {there is nothing to} */
  reload?(reason: string): Promise<void>;
}

/** What {@linkcode runService} needs. */
export interface ServiceRun<C> {
  /** How errors name the program. */
  name: string;
  /** Reads the configuration. */
  load(): Promise<C>;
  /** Starts the service and returns when it is up. */
  start(config: C): Promise<Service>;
  signals: SignalSource;
  /** Asks for reloads; `Service.reload` is called once the service is up. @default {nobody does} */
  reloadSignals?: ReloadSource;
  terminal: Terminal;
}

/**
 * Runs a service: the first signal drains it, the second ends it at once.
 *
 * @returns The exit code: 0 when it stopped as it was told, 1 when it failed or was ended at once, 2 when its
 * configuration cannot be used. Errors were explained to `terminal.err`.
 */
export async function runService<C>(run: ServiceRun<C>): Promise<number> {
  const complain = (error: unknown) => complaint(run.name, error).forEach((line) => run.terminal.err(line));
  let config: C;
  try {
    config = await run.load();
  } catch (error) {
    complain(error);
    return EXIT.usage;
  }

  const told = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<"now">();
  // Listening begins before the start, so that a signal in its middle is not lost.
  const up = Promise.withResolvers<Service>();
  const stopReloads = run.reloadSignals?.((name) =>
    void up.promise.then((service) => service.reload?.(name))
  );
  const stopListening = run.signals((name, count) => count === 1 ? told.resolve(name) : ended.resolve("now"));
  try {
    const outcome = await Promise.race([serve(run, config, told.promise, up.resolve), ended.promise]);
    return outcome === "now" ? EXIT.failure : EXIT.ok;
  } catch (error) {
    complain(error);
    return EXIT.failure;
  } finally {
    stopListening();
    stopReloads?.();
  }
}

async function serve<C>(
  run: ServiceRun<C>,
  config: C,
  told: Promise<string>,
  isUp: (service: Service) => void,
): Promise<void> {
  const service = await run.start(config);
  isUp(service);
  const reason = await Promise.race([told, service.closed]);
  if (reason === undefined) return;
  await Promise.all([service.drain(reason), service.closed]);
}
