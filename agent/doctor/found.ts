import type { Session } from "../../shared/mux/session.ts";
import type { Identity } from "../../shared/tls/identity.ts";
import type { DialledConnection } from "../../shared/tls/dial.ts";
import type { UpstreamProxy } from "../../shared/tls/proxy_tunnel.ts";
import type { AgentConfig } from "../config.ts";
import type { Surroundings } from "./surroundings.ts";

/** An address. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** What an examination knows so far: each step reads what those before it left. */
export class Found implements AsyncDisposable {
  /** What was made on the way and has to be closed. */
  readonly resources = new AsyncDisposableStack();
  /** Milliseconds by which this machine's clock is ahead of others'; undefined until somebody told the time. */
  clockAhead: number | undefined;
  /** Where the server is; undefined until it is known. */
  server: HostAndPort | undefined;
  #config: AgentConfig | undefined;
  #identity: Identity | undefined;
  #socket: DialledConnection["socket"] | undefined;
  #session: Session | undefined;

  constructor(readonly options: DoctorOptions, readonly surroundings: Surroundings) {}

  /** What step `configuration` read. */
  get config(): AgentConfig {
    return known(this.#config);
  }
  set config(config: AgentConfig) {
    this.#config = config;
    if (config.cloud === undefined) this.server = { host: config.serverIp, port: config.serverPort };
  }

  /** What step `certificate` loaded. */
  get identity(): Identity {
    return known(this.#identity);
  }
  set identity(identity: Identity) {
    this.#identity = identity;
  }

  /** The connection of step `tls`; whoever takes it over owns it. */
  get socket(): DialledConnection["socket"] {
    return known(this.#socket);
  }
  set socket(socket: DialledConnection["socket"]) {
    this.#socket = socket;
    this.resources.defer(() => void socket.destroy());
  }

  /** The session of step `session`. */
  get session(): Session {
    return known(this.#session);
  }
  set session(session: Session) {
    this.#session = session;
    this.resources.defer(() => session.close("going_away", "the examination is over"));
  }

  /** The proxy for an address; undefined where it is reached without one. */
  via({ host, port }: HostAndPort): UpstreamProxy | undefined {
    return this.surroundings.proxyFor(this.config, host, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resources.disposeAsync();
  }
}

/** What somebody may choose. */
export interface DoctorOptions {
  /** A site that everybody can reach, `http:`, which tells whether there is a way out, and what time it is. */
  readonly control: URL;
  /** The page that is asked for through the tunnel, `http:`. */
  readonly page: URL;
  /** Milliseconds for each thing that is asked of the network. */
  readonly timeoutMs: number;
  /** Whether a server that sleeps is woken. */
  readonly wake: boolean;
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a step looks at what no step before it has left");
  return value;
}
