/** Ctrl-C, SIGTERM or the end of the terminal, as two signals to wait for. */
export class StopRequest implements Disposable {
  readonly #first = new AbortController();
  readonly #second = new AbortController();
  readonly #listener = () => (this.#first.signal.aborted ? this.#second : this.#first).abort();

  /** Listens from now on, until disposed of; meanwhile these signals do not end the process by themselves. */
  constructor() {
    for (const name of signalNames()) Deno.addSignalListener(name, this.#listener);
  }

  /** Aborted when somebody wants the demo to stop. */
  get signal(): AbortSignal {
    return this.#first.signal;
  }

  /** Aborted when somebody asked again: no time for goodbyes. */
  get hurry(): AbortSignal {
    return this.#second.signal;
  }

  [Symbol.dispose](): void {
    for (const name of signalNames()) Deno.removeSignalListener(name, this.#listener);
  }
}

function signalNames(): Deno.Signal[] {
  return Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
}
