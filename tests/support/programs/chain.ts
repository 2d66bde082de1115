import { stringify } from "yaml";
import { type CertificateMaker, certificates } from "../pki/certificates.ts";
import { type Program, type StartOptions, startProgram } from "./programs.ts";
import { assertIdle, assertStopped } from "./status.ts";

/** Configuration keys as the YAML files have them. */
export type Keys = Record<string, unknown>;

/** How the agent and the server are set up for a test. */
export interface ChainOptions {
  /** Keys of the server's file that differ from the test's defaults. */
  server?: Keys;
  /** Keys of the agent's file that differ from the test's defaults. */
  agent?: Keys;
  /**
   * What the server may dial (`targets.allow`).
   *
   * @default {["127.0.0.0/8", "::1/128"]}
   */
  allow?: readonly string[];
  /**
   * The tool that made the certificates.
   *
   * @default {"init"}
   */
  certificates?: CertificateMaker;
  /** A command that wraps the server or the agent; see {@linkcode StartOptions}. */
  wrapper?: { server?: readonly string[]; agent?: readonly string[] };
}

/** The real agent and the real server as processes, in a temporary directory. */
export class Chain implements AsyncDisposable {
  #server: Program | undefined;
  #agent: Program | undefined;
  /** The server's ports; 0 before its first start. They stay the same after a restart. */
  serverPort = 0;
  healthPort = 0;
  /** The agent's ports; 0 before its start. */
  proxyPort = 0;
  consolePort = 0;

  private constructor(readonly dir: string, readonly options: ChainOptions) {}

  /** Makes the directory and the certificates without starting a program. */
  static async prepare(options: ChainOptions = {}): Promise<Chain> {
    const dir = await Deno.makeTempDir({ prefix: "sallyport_e2e_" });
    await certificates(`${dir}/certs`, options.certificates ?? "init");
    return new Chain(dir, options);
  }

  /** Starts server and agent, and returns when both listen. */
  static async start(options: ChainOptions = {}): Promise<Chain> {
    const chain = await Chain.prepare(options);
    try {
      await chain.startServer();
      await chain.startAgent();
      return chain;
    } catch (error) {
      await chain[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The proxy as clients name it. */
  get proxyUrl(): string {
    return `http://127.0.0.1:${this.proxyPort}`;
  }

  /** The server's process. */
  get server(): Program {
    if (!this.#server) throw new Error("Cannot use the server: it was not started");
    return this.#server;
  }

  /** The agent's process. */
  get agent(): Program {
    if (!this.#agent) throw new Error("Cannot use the agent: it was not started");
    return this.#agent;
  }

  /**
   * Starts the server, on its previous ports if it ran before, and returns when it listens.
   *
   * @param env Environment variables besides the inherited ones.
   */
  async startServer(env: Record<string, string> = {}): Promise<void> {
    const file = `${this.dir}/server.yaml`;
    await Deno.writeTextFile(file, stringify(this.#serverKeys()));
    this.#server = await startProgram("server", ["--config", file], this.#startOptions("server", env));
    this.serverPort = await portOf(this.#server, "server listening");
    this.healthPort = await portOf(this.#server, "health listening");
  }

  /**
   * Starts the agent and returns when it listens; it may not be connected yet.
   *
   * @param env Environment variables besides the inherited ones.
   * @param keys Keys of its file that differ this time.
   */
  async startAgent(env: Record<string, string> = {}, keys: Keys = {}): Promise<void> {
    const file = `${this.dir}/agent.yaml`;
    await Deno.writeTextFile(file, stringify({ ...this.#agentKeys(), ...keys }));
    this.#agent = await startProgram("agent", ["--config", file], this.#startOptions("agent", env));
    this.proxyPort = await portOf(this.#agent, "proxy listening");
    this.consolePort = await portOf(this.#agent, "console listening");
  }

  /**
   * The end of every test: neither program has a stream, the agent stops with exit code 0, the server has no connection
   * then and stops with exit code 0, and no port is in use.
   */
  async finish(): Promise<void> {
    await assertIdle(this);
    await assertStopped(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]();
    await this.#server?.[Symbol.asyncDispose]();
    await Deno.remove(this.dir, { recursive: true });
  }

  #startOptions(part: "server" | "agent", env: Record<string, string>): StartOptions {
    const wrapper = this.options.wrapper?.[part];
    return wrapper === undefined ? { env } : { env, wrapper };
  }

  #serverKeys(): Keys {
    return {
      listen_addr: "127.0.0.1",
      listen_port: this.serverPort,
      health_port: this.healthPort,
      cert_file: "certs/server.crt",
      key_file: "certs/server.key",
      ca_cert_file: "certs/ca.crt",
      targets: { allow: this.options.allow ?? ["127.0.0.0/8", "::1/128"] },
      ...this.options.server,
    };
  }

  #agentKeys(): Keys {
    return {
      server_ip: "127.0.0.1",
      server_port: this.serverPort,
      local_proxy_port: 0,
      console_port: 0,
      cert_file: "certs/client.crt",
      key_file: "certs/client.key",
      ca_cert_file: "certs/ca.crt",
      ...this.options.agent,
    };
  }
}

async function portOf(program: Program, message: string): Promise<number> {
  const { fields } = await program.log.waitFor(message);
  return Number(fields["port"]);
}
