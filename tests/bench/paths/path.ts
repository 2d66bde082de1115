import { Helper } from "../../support/paths/helper.ts";
import type { DelayPath } from "../programs/delay_relay.ts";
import type { PathChoice } from "../rows.ts";
import type { TestPath } from "../../support/paths/test_path.ts";
import { namespacesPath } from "../../support/paths/namespaces.ts";

/** Bytes; more than the buffers of any of the tunnels. */
const DEEP_QUEUE = 16 << 20;

/**
 * Creates a path.
 *
 * @throws {Error} When this machine cannot have it, with the reason.
 */
export async function startPath({ id }: PathChoice): Promise<TestPath> {
  if (id === "loopback") return new LocalPath();
  if (id === "delay") return new LocalPath({ delayMs: 25, queueBytes: null });
  if (id === "queue") return new LocalPath({ delayMs: 10, mbit: 100, queueBytes: DEEP_QUEUE });
  return await namespacesPath({ delayMs: 20, mbit: 200, loss: 0.01, queueBytes: 1 << 20 });
}

/** The loopback interface, with a relay for each tunnel where something is to be simulated. */
class LocalPath implements TestPath {
  readonly near = [];
  readonly far = [];
  readonly farHost = "127.0.0.1";
  readonly #relays: Helper[] = [];

  constructor(readonly simulated?: Omit<DelayPath, "to">) {}

  async reach(farPort: number): Promise<{ host: string; port: number }> {
    if (this.simulated === undefined) return { host: this.farHost, port: farPort };
    const options: DelayPath = { ...this.simulated, to: farPort };
    const relay = new Helper(import.meta.resolve("../programs/delay_relay.ts"), [JSON.stringify(options)]);
    this.#relays.push(relay);
    return { host: this.farHost, port: Number((await relay.ready())["port"]) };
  }

  note(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const relay of this.#relays) await relay[Symbol.asyncDispose]();
  }
}
