import type { Socket } from "node:net";
import type { Session } from "../../shared/mux/session/session.ts";
import type { Identity } from "../../shared/pki/identity/identity.ts";
import type { DialledConnection } from "../../shared/tls/dial.ts";
import type { AgentConfig } from "../config/config.ts";
import type { UpstreamProxy } from "../upstream/upstream_proxy.ts";
import type { DoctorContext, DoctorOptions } from "./context.ts";
import type { ProblemName } from "./problems.ts";

/** A host and a port to connect to. */
export interface HostAndPort {
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What is known so far: each step reads what earlier steps stored. */
export class Diagnosis implements AsyncDisposable {
  /** Closed at the end. */
  readonly #resources = new AsyncDisposableStack();
  /** The problem with the proxy that the agent goes through. */
  proxyProblem: ProblemName | undefined;
  /** The problem with the network, as the control site shows it. */
  controlProblem: "network" | "captive_portal" | undefined;
  /** Milliseconds by which this machine's clock is ahead; undefined until an answer carried the time. */
  clockAheadMs: number | undefined;
  /** Addresses of the servers; empty until they are known. */
  servers: readonly HostAndPort[] = [];
  #config: AgentConfig | undefined;
  #identity: Identity | undefined;
  #server: { address: HostAndPort; connection: Socket } | undefined;
  #socket: DialledConnection["socket"] | undefined;
  #session: Session | undefined;

  /** @param progress Shows a line while a step takes long. */
  constructor(
    readonly options: DoctorOptions,
    readonly context: DoctorContext,
    readonly progress: (text: string) => void = () => {},
  ) {}

  /** Read by step `configuration`. */
  get config(): AgentConfig {
    return known(this.#config);
  }
  set config(config: AgentConfig) {
    this.#config = config;
    if (config.cloud === undefined) this.servers = [{ host: config.serverIp, port: config.serverPort }];
  }

  /** Loaded by step `certificate`. */
  get identity(): Identity {
    return known(this.#identity);
  }
  set identity(identity: Identity) {
    this.#identity = identity;
  }

  /** The server that step `server` connected to, and the unused connection. */
  get server(): { readonly address: HostAndPort; readonly connection: Socket } {
    return known(this.#server);
  }
  set server(server: { address: HostAndPort; connection: Socket }) {
    this.#server = server;
    // The step that takes over the connection handles its errors too.
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
    this.#resources.defer(() => session.close("going_away", "doctor is done"));
  }

  /** The proxy for an address; undefined if it is reached directly. */
  via({ host, port }: HostAndPort): UpstreamProxy | undefined {
    return this.context.proxyFor(this.config, host, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a step reads a value that no earlier step stored");
  return value;
}
