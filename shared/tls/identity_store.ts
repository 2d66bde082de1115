import type { CancelTimer, Clock } from "../clock.ts";
import { SallyportError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { KeyUsage } from "./certificate_fields.ts";
import { ExpiryWatch } from "./expiry_watch.ts";
import { FileWatch } from "./file_watch.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { filesOf, type IdentitySource } from "./identity_source.ts";
import { subjectOf } from "./subject.ts";
import { type ReloadReport, type TrustReport, trustReport } from "./trust_report.ts";

/** What makes an {@linkcode IdentityStore}. */
export interface IdentityStoreInit {
  readonly source: IdentitySource;
  /** What the endpoint's certificate has to be for. */
  readonly usage: KeyUsage;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
  /** Milliseconds between two looks at the files. @default 1000 */
  readonly pollMs?: number;
  /** A reload is over. @default {nobody counts} */
  onReload?(outcome: ReloadReport["outcome"]): void;
}

const POLL = 1_000;
/** Milliseconds after which a failed reload is tried again: what failed may have been the reading alone. */
const RETRY = 30_000;

/**
 * The identity of an endpoint, kept up to date: its files are read again when one changes, or when somebody asks.
 * All of them are loaded and checked first and then replace the old ones at once; when one cannot be used, the
 * old ones stay. A list that revokes the certificate in use takes effect, and the log has an error until the
 * certificate is replaced.
 */
export class IdentityStore {
  readonly #init: IdentityStoreInit;
  readonly #files: FileWatch;
  readonly #expiry: ExpiryWatch;
  readonly #listeners: ((identity: Identity) => void)[] = [];
  #current: Identity;
  #lastReload: ReloadReport | undefined;
  #queue: Promise<void> = Promise.resolve();
  #cancelRetry: CancelTimer | undefined;
  #closed = false;

  /**
   * Loads the identity and begins to watch it.
   *
   * @throws {SallyportError} `bad_request` when it cannot be used, as `loadIdentity` does.
   */
  static async open(init: IdentityStoreInit): Promise<IdentityStore> {
    const { source, usage, clock, pollMs = POLL } = init;
    const opened = Promise.withResolvers<IdentityStore>();
    const onChange = () => void opened.promise.then((store) => store.reload("a file changed"));
    const files = new FileWatch({ files: filesOf(source), clock, intervalMs: pollMs, onChange });
    // Looked at before they are read, so that nothing is missed in between.
    await files.start();
    try {
      const current = await loadIdentity(source, usage, { at: new Date(clock.wallTime()) });
      const store = new IdentityStore(init, files, current);
      store.#expiry.start();
      store.#logRevoked();
      opened.resolve(store);
      return store;
    } catch (error) {
      await files.stop();
      throw error;
    }
  }

  private constructor(init: IdentityStoreInit, files: FileWatch, current: Identity) {
    this.#init = init;
    this.#files = files;
    this.#current = current;
    this.#expiry = new ExpiryWatch({ clock: init.clock, log: init.log, identity: () => this.#current });
  }

  /** The newest identity that could be used. */
  get current(): Identity {
    return this.#current;
  }

  /** How long it lasts, and how the last reload went. */
  report(): TrustReport {
    return trustReport(this.#current, this.#init.clock.wallTime(), this.#lastReload);
  }

  /** Calls `listener` with every identity from the next on. When it throws, the identity before stays. */
  onChange(listener: (identity: Identity) => void): void {
    this.#listeners.push(listener);
  }

  /** Reads everything again; one reload after the other. Never rejects: a failure is logged and reported. */
  reload(reason: string): Promise<void> {
    return this.#queue = this.#queue.then(() => this.#reload(reason));
  }

  /** Watches no more; settles when a reload that is under way is over, which changes nothing any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#expiry.stop();
    this.#cancelRetry?.();
    await Promise.all([this.#files.stop(), this.#queue]);
  }

  async #reload(reason: string): Promise<void> {
    const { source, usage, clock, log } = this.#init;
    if (this.#closed) return;
    this.#cancelRetry?.();
    const at = new Date(clock.wallTime());
    try {
      const identity = await loadIdentity(source, usage, { at, inUse: this.#current });
      if (this.#closed) return;
      this.#replace(identity);
      this.#lastReload = { outcome: "ok", at: at.toISOString() };
      log.info("certificates reloaded", { reason, serial: identity.chain[0]?.serialNumber });
      this.#expiry.start();
      this.#logRevoked();
      this.#init.onReload?.("ok");
    } catch (error) {
      this.#failed(SallyportError.from(error).message, reason, at);
    }
  }

  #replace(identity: Identity): void {
    const before = this.#current;
    this.#current = identity;
    try {
      for (const listener of this.#listeners) listener(identity);
    } catch (error) {
      this.#current = before;
      for (const listener of this.#listeners) listener(before);
      throw error;
    }
  }

  #logRevoked(): void {
    const { revoked, chain } = this.#current;
    if (revoked === undefined) return;
    const fields = { subject: subjectOf(chain[0]!), reason: `it ${revoked}` };
    this.#init.log.error("own certificate is revoked, peers with the list refuse it: replace it", fields);
  }

  #failed(error: string, reason: string, at: Date): void {
    if (this.#closed) return;
    // Tried again by itself, it need not be said again.
    if (reason !== RETRYING || this.#lastReload?.error !== error) {
      this.#init.log.error("certificates not reloaded, the old ones stay", { reason, error });
    }
    this.#lastReload = { outcome: "failed", at: at.toISOString(), error };
    this.#init.onReload?.("failed");
    this.#cancelRetry = this.#init.clock.after(RETRY, () => void this.reload(RETRYING));
  }
}

const RETRYING = "the last reload failed";
