import type { Socket } from "node:net";
import type { Session } from "../../shared/mux/session.ts";
import type { Identity } from "../../shared/tls/identity.ts";
import type { DialledConnection } from "../../shared/tls/dial.ts";
import type { UpstreamProxy } from "../../shared/tls/upstream_proxy.ts";
import type { AgentConfig } from "../config.ts";
import type { ProblemName } from "./problems.ts";
import type { Surroundings } from "./surroundings.ts";

/** An address. */
export interface HostAndPort {
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What an examination knows so far: each step reads what those before it left. */
export class Found implements AsyncDisposable {
  /** What was made on the way and has to be closed. */
  readonly #resources = new AsyncDisposableStack();
  /** What is wrong with the proxy that has to be gone through. */
  proxyProblem: ProblemName | undefined;
  /** What is wrong with the network, as the control site shows it. */
  controlProblem: "network" | "captive_portal" | undefined;
  /** Milliseconds by which this machine's clock is ahead of others'; undefined until somebody told the time. */
  clockAhead: number | undefined;
  /** Where servers are; none until it is known. */
  servers: readonly HostAndPort[] = [];
  #config: AgentConfig | undefined;
  #identity: Identity | undefined;
  #server: { address: HostAndPort; connection: Socket } | undefined;
  #socket: DialledConnection["socket"] | undefined;
  #session: Session | undefined;

  /** @param tell Says how it goes where something takes long. */
  constructor(
    readonly options: DoctorOptions,
    readonly surroundings: Surroundings,
    readonly tell: (text: string) => void = () => {},
  ) {}

  /** What step `configuration` read. */
  get config(): AgentConfig {
    return known(this.#config);
  }
  set config(config: AgentConfig) {
    this.#config = config;
    if (config.cloud === undefined) this.servers = [{ host: config.serverIp, port: config.serverPort }];
  }

  /** What step `certificate` loaded. */
  get identity(): Identity {
    return known(this.#identity);
  }
  set identity(identity: Identity) {
    this.#identity = identity;
  }

  /** The server that step `server` connected to, and the connection, of which nothing is used yet. */
  get server(): { readonly address: HostAndPort; readonly connection: Socket } {
    return known(this.#server);
  }
  set server(server: { address: HostAndPort; connection: Socket }) {
    this.#server = server;
    // Whoever takes it over looks after its errors too.
    server.connection.on("error", () => {});
    this.#resources.defer(() => void server.connection.destroy());
  }

  /** The connection of step `tls`. */
  get socket(): DialledConnection["socket"] {
    return known(this.#socket);
  }
  set socket(socket: DialledConnection["socket"]) {
    this.#socket = socket;
    this.#resources.defer(() => void socket.destroy());
  }

  /** The session of step `session`. */
  get session(): Session {
    return known(this.#session);
  }
  set session(session: Session) {
    this.#session = session;
    this.#resources.defer(() => session.close("going_away", "the examination is over"));
  }

  /** The proxy for an address; undefined where it is reached without one. */
  via({ host, port }: HostAndPort): UpstreamProxy | undefined {
    return this.surroundings.proxyFor(this.config, host, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
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
