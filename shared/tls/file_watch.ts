import type { CancelTimer, Clock } from "../clock.ts";

/** What makes a {@linkcode FileWatch}. */
export interface FileWatchInit {
  /** Paths; links are followed, at every look anew. */
  readonly files: readonly string[];
  readonly clock: Clock;
  /** Milliseconds between two looks. */
  readonly intervalMs: number;
  /** Something changed since it was called last, or since the start, and then stood still for a look. */
  onChange(): void;
}

/** Looks that a change may go on before it is told all the same. */
const PATIENCE = 3;

/**
 * Notices when files change, whichever way: written in place, replaced by a rename, or by the swap of a link
 * somewhere in their path, as Kubernetes and certificate tools do it. It looks at size, times and inode again and
 * again: notifications of the operating system follow no link and do not come on every file system.
 */
export class FileWatch {
  readonly #init: FileWatchInit;
  #cancel: CancelTimer | undefined;
  #stopped = false;
  #looking: Promise<void> = Promise.resolve();
  /** What was seen last of each file, and in all at the last call. */
  readonly #seen = new Map<string, string>();
  #told = "";
  #changing = 0;

  constructor(init: FileWatchInit) {
    this.#init = init;
  }

  /** Takes the first look; what changes after it is noticed. */
  async start(): Promise<void> {
    if (this.#init.files.length === 0) return;
    this.#told = await this.#look();
    this.#wait();
  }

  /** Looks no more; settles when a look that is under way is over. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    return this.#looking;
  }

  #wait(): void {
    if (this.#stopped) return;
    this.#cancel = this.#init.clock.after(this.#init.intervalMs, () => {
      this.#looking = this.#check();
    });
  }

  /** Never rejects: `look` has words for every failure. */
  async #check(): Promise<void> {
    const before = this.#all();
    const now = await this.#look();
    if (this.#stopped) return;
    if (now === this.#told) this.#changing = 0;
    // A certificate is written before its key, or after: both should be there when they are read.
    else if (now === before || ++this.#changing >= PATIENCE) {
      this.#changing = 0;
      this.#told = now;
      this.#init.onChange();
    }
    this.#wait();
  }

  async #look(): Promise<string> {
    await Promise.all(this.#init.files.map(async (file) => {
      const seen = await signatureOf(file);
      if (seen !== undefined) this.#seen.set(file, seen);
    }));
    return this.#all();
  }

  #all(): string {
    return this.#init.files.map((file) => this.#seen.get(file)).join("\n");
  }
}

/** What changes with a file; undefined when nothing could be learned, as without a free file descriptor. */
async function signatureOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtime, ctime } = await Deno.stat(file);
    return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join();
  } catch (error) {
    const known = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotADirectory;
    return known ? error.name : undefined;
  }
}
