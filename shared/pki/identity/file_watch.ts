import type { CancelTimer, Clock } from "../../clock.ts";

/** What a {@linkcode FileWatch} needs. */
export interface FileWatchInit {
  /** Paths; symbolic links are followed at each check. */
  readonly files: readonly string[];
  readonly clock: Clock;
  /** Milliseconds between two checks. */
  readonly intervalMs: number;
  /** Called when a file has changed since the last call or the start, and not again between two checks. */
  onChange(): void;
}

/** Checks in a row that may see further changes before the change is reported all the same. */
const MAX_UNSETTLED_CHECKS = 3;

/**
 * Detects changed files, however they change: written in place, replaced by a rename, or by swapping a symbolic link in
 * their path, as Kubernetes and certificate tools do. It polls size, times and inode: notifications of the operating
 * system follow no links and do not work on every file system.
 */
export class FileWatch {
  readonly #init: FileWatchInit;
  #cancel: CancelTimer | undefined;
  #stopped = false;
  #checking: Promise<void> = Promise.resolve();
  /** The last state of each file, and of all files at the last report. */
  readonly #seen = new Map<string, string>();
  #reported = "";
  #changing = 0;

  constructor(init: FileWatchInit) {
    this.#init = init;
  }

  /** Reads the initial state; later changes are reported. */
  async start(): Promise<void> {
    if (this.#init.files.length === 0) return;
    this.#reported = await this.#read();
    this.#wait();
  }

  /** Stops polling. Settles when a running check has ended. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    return this.#checking;
  }

  #wait(): void {
    if (this.#stopped) return;
    this.#cancel = this.#init.clock.after(this.#init.intervalMs, () => {
      this.#checking = this.#check();
    });
  }

  /** Never rejects: `stateOf` handles every error. */
  async #check(): Promise<void> {
    const before = this.#all();
    const now = await this.#read();
    if (this.#stopped) return;
    if (now === this.#reported) this.#changing = 0;
    // A certificate is written before or after its key: both should be complete when they are read.
    else if (now === before || ++this.#changing >= MAX_UNSETTLED_CHECKS) {
      this.#changing = 0;
      this.#reported = now;
      this.#init.onChange();
    }
    this.#wait();
  }

  async #read(): Promise<string> {
    await Promise.all(this.#init.files.map(async (file) => {
      const seen = await stateOf(file);
      if (seen !== undefined) this.#seen.set(file, seen);
    }));
    return this.#all();
  }

  #all(): string {
    return this.#init.files.map((file) => this.#seen.get(file)).join("\n");
  }
}

/** A text that changes with the file; undefined when it is not known, for example without a free file descriptor. */
async function stateOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtime, ctime } = await Deno.stat(file);
    return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join();
  } catch (error) {
    const known = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotADirectory;
    return known ? error.name : undefined;
  }
}
