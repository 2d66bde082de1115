/**
 * The identity of a program, reloaded when its files change.
 *
 * @example Load an identity from files and use each new one
 * ```ts
 * import { systemClock } from "../../system_clock.ts";
 * import { IdentityStore, type IdentityStoreInit } from "./identity_store.ts";
 *
 * const init: IdentityStoreInit = {
 *   source: {
 *     cert: { file: "certs/server.crt" },
 *     key: { file: "certs/server.key" },
 *     ca: { file: "certs/ca.crt" },
 *     crl: { file: "certs/crl.pem" },
 *   },
 *   usage: "serverAuth",
 *   clock: systemClock,
 *   log: console,
 * };
 * const store = await IdentityStore.open(init);
 * store.onChange(({ chain }) => console.info(`now using serial ${chain[0]?.serialNumber}`));
 * await store.close();
 * ```
 * @module
 */
import type { CancelTimer, Clock } from "../../clock.ts";
import { SallyportError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import { OutageLog } from "../../resilience/outage_log.ts";
import type { KeyUsage } from "../x509/certificate_fields.ts";
import { subjectOf } from "../x509/names.ts";
import { keyModeWarning } from "../x509/private_key.ts";
import { ExpiryWatch } from "./expiry.ts";
import { FileWatch } from "./file_watch.ts";
import { type Identity, type IdentitySource, loadIdentity } from "./identity.ts";
import { type ReloadReport, type TrustReport, trustReport } from "./trust_report.ts";

/** What an {@linkcode IdentityStore} needs. */
export interface IdentityStoreInit {
  readonly source: IdentitySource;
  /** The use that the endpoint's certificate has to allow. */
  readonly usage: KeyUsage;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
  /** Milliseconds between two checks of the files. @default 1000 */
  readonly pollMs?: number;
  /** Called after each reload. @default {nothing} */
  onReload?(outcome: ReloadReport["outcome"]): void;
}

const POLL_MS = 1_000;
/** Milliseconds after which a failed reload is tried again: perhaps only a read failed. */
const RETRY_MS = 30_000;
/** Milliseconds between two log lines about the same error of automatic reloads. */
const LOG_INTERVAL_MS = 600_000;

/**
 * The identity of an endpoint, kept up to date: its parts are read again when one changes, or on request. All of them
 * are loaded and validated first and then replace the old ones together; when one cannot be used, the old ones stay. A
 * list that revokes the certificate in use takes effect, and each reload logs an error until the certificate is
 * replaced.
 */
export class IdentityStore {
  readonly #init: IdentityStoreInit;
  readonly #files: FileWatch;
  readonly #expiry: ExpiryWatch;
  readonly #listeners = new Set<(identity: Identity) => void>();
  #current: Identity;
  readonly #outage: OutageLog;
  #lastReload: ReloadReport | undefined;
  #queue: Promise<void> = Promise.resolve();
  #cancelRetry: CancelTimer | undefined;
  #closed = false;

  /**
   * Loads the identity and starts to watch its files and its {@linkcode LiveText}.
   *
   * @throws {SallyportError} `bad_request` when it cannot be used, as {@linkcode loadIdentity} does.
   */
  static async open(init: IdentityStoreInit): Promise<IdentityStore> {
    const { source, usage, clock, pollMs = POLL_MS } = init;
    const opened = Promise.withResolvers<IdentityStore>();
    const reload = (reason: string) => void opened.promise.then((store) => store.reload(reason));
    const onChange = () => reload("a file changed");
    const files = new FileWatch({ files: filesOf(source), clock, intervalMs: pollMs, onChange });
    // Watched before they are read, so that no change in between is missed.
    await files.start();
    const { crl } = source;
    if (crl !== undefined && "text" in crl) crl.onChange(() => reload(`revocation list ${crl.name} changed`));
    try {
      const current = await loadIdentity(source, usage, { at: new Date(clock.wallTime()) });
      const store = new IdentityStore(init, files, current);
      store.#expiry.start();
      store.#logRevoked();
      await store.#logKeyMode();
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
    this.#outage = new OutageLog({ clock: init.clock, every: LOG_INTERVAL_MS });
    this.#current = current;
    this.#expiry = new ExpiryWatch({ clock: init.clock, log: init.log, identity: () => this.#current });
  }

  /** The newest valid identity. */
  get current(): Identity {
    return this.#current;
  }

  /** When its parts expire, and the result of the last reload. */
  report(): TrustReport {
    return trustReport(this.#current, this.#init.clock.wallTime(), this.#lastReload);
  }

  /**
   * Calls `listener` with each new identity. When it throws, the old identity stays.
   *
   * @returns Removes the listener.
   */
  onChange(listener: (identity: Identity) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Reads everything again; reloads run one at a time. Never rejects: an error is logged and reported. */
  reload(reason: string): Promise<void> {
    return this.#queue = this.#queue.then(() => this.#reload(reason));
  }

  /** Stops watching. Settles when a running reload has ended, which no longer changes anything. */
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
      log.info("certificates reloaded", {
        reason,
        serial: identity.chain[0]?.serialNumber,
        ...this.#outage.recovered(),
      });
      this.#expiry.start();
      this.#logRevoked();
      this.#init.onReload?.("ok");
      await this.#logKeyMode();
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
    const fields = { subject: subjectOf(chain[0]!), error: `it ${revoked}` };
    this.#init.log.error("own certificate is revoked, peers with the list refuse it: replace it", fields);
  }

  async #logKeyMode(): Promise<void> {
    const { source: { key }, log } = this.#init;
    const warning = "file" in key ? await keyModeWarning(key.file) : undefined;
    if (warning !== undefined) log.warn(warning);
  }

  #failed(error: string, reason: string, at: Date): void {
    if (this.#closed) return;
    const outage = this.#outage.failed(error);
    // Automatic retries do not log every time.
    if (reason !== RETRYING || outage !== undefined) {
      this.#init.log.error("certificates not reloaded, the old ones stay", { reason, error, ...outage });
    }
    this.#lastReload = { outcome: "failed", at: at.toISOString(), error };
    this.#init.onReload?.("failed");
    this.#cancelRetry = this.#init.clock.after(RETRY_MS, () => void this.reload(RETRYING));
  }
}

/** The files of a source; a text has none. */
function filesOf({ cert, key, ca, crl }: IdentitySource): string[] {
  return [cert, key, ca, crl].flatMap((part) => part !== undefined && "file" in part ? [part.file] : []);
}

const RETRYING = "the last reload failed";
