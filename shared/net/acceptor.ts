import { dialableHost, hostPort } from "./host_port.ts";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate } from "node:timers";
import type { CancelTimer, Clock } from "../clock.ts";
import { SallyportError } from "../errors.ts";
import { systemClock } from "../system_clock.ts";
import { OutageLog } from "../resilience/outage_log.ts";
import { AcceptProbe } from "./accept_probe.ts";
import { DescriptorHeadroom } from "./descriptor_headroom.ts";
import { fromOsError } from "./os_error.ts";

/** Milliseconds until a port that could not be reopened is tried again. */
const RETRY = 250;
/** Probes of all ports: they share the file descriptors of the process, so that a shortage affects all of them. */
const probes = new Set<AcceptProbe>();

/** What an {@linkcode Acceptor} needs. */
export interface AcceptorInit {
  /** Address to listen on. */
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** Whether each direction of a connection ends separately. */
  allowHalfOpen: boolean;
  /** A connection was accepted. */
  onConnection(socket: Socket): void;
  /**
   * A connection was accepted that cannot be served: the process has only a few file descriptors left. The callback
   * says so to the client, if it can, and closes the connection soon.
   */
  onCrowded(socket: Socket, reason: SallyportError): void;
  /** The port did not accept connections for a while, and why. */
  onError(error: SallyportError): void;
  /** The port is open again after an `onError`; `downMs` are milliseconds since that. */
  onReopened?(downMs: number): void;
  /** @default the machine's clock */
  clock?: Clock;
}

type State =
  | { name: "opening" }
  | { name: "open"; server: Server }
  | { name: "reopening"; cancel: CancelTimer }
  | { name: "closed" };

/**
 * A TCP port that continues to accept connections after the process ran out of file descriptors. While there are none
 * to spare, it passes new connections to `onCrowded`.
 */
export class Acceptor {
  readonly #init: AcceptorInit;
  readonly #clock: Clock;
  readonly #headroom: DescriptorHeadroom;
  #state: State = { name: "opening" };
  readonly #outage: OutageLog;
  #probe: AcceptProbe | undefined;
  #open = 0;
  /** When `onError` was called, until the port is open again. */
  #errorAt: number | undefined;
  /** Connections without a free descriptor, until all of a burst have arrived. */
  #crowd: Socket[] = [];
  #address: AddressInfo = { address: "", family: "", port: 0 };

  private constructor(init: AcceptorInit) {
    this.#init = init;
    this.#clock = init.clock ?? systemClock;
    this.#outage = new OutageLog({ clock: this.#clock });
    this.#headroom = new DescriptorHeadroom(this.#clock);
  }

  /**
   * Starts to listen.
   * @throws SallyportError when it cannot listen there.
   */
  static async open(init: AcceptorInit): Promise<Acceptor> {
    const acceptor = new Acceptor(init);
    const { host, port } = init;
    try {
      await acceptor.#listen(port);
    } catch (error) {
      throw fromOsError(error, `listen on ${hostPort(host, port)}`);
    }
    acceptor.#probe = new AcceptProbe({
      clock: acceptor.#clock,
      connect: () => connect({ host: dialableHost(acceptor.#address.address), port: acceptor.#address.port }),
      stalled: () => acceptor.#reopen(),
    });
    probes.add(acceptor.#probe);
    return acceptor;
  }

  /** The address on which it listens. */
  get address(): AddressInfo {
    return this.#address;
  }

  /** Closes the port. Accepted connections stay open: their users own them. */
  close(): void {
    if (this.#probe !== undefined) probes.delete(this.#probe);
    this.#probe?.stop();
    this.#leave({ name: "closed" });
  }

  #setState(state: State): void {
    this.#state = state;
  }

  #leave(next: State): void {
    const left = this.#state;
    this.#setState(next);
    if (left.name === "open") left.server.close();
    if (left.name === "reopening") left.cancel();
  }

  async #listen(port: number): Promise<void> {
    const { host, allowHalfOpen } = this.#init;
    const server = createServer({ allowHalfOpen, noDelay: true }, (socket) => this.#accepted(socket));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ host, port }, resolve);
    await promise;
    server.off("error", reject).on("error", (error: Error) => {
      this.#report(fromOsError(error, "accept connections"));
      this.#probe?.doubt();
    });
    if (this.#state.name === "closed") return void server.close();
    this.#address = server.address() as AddressInfo;
    this.#leave({ name: "open", server });
  }

  #accepted(socket: Socket): void {
    // Never removed: an error without a listener would end the process.
    socket.on("error", () => {});
    this.#open++;
    socket.once("close", () => this.#open--);
    if (this.#probe === undefined) this.#take(socket);
    else this.#probe.arrived(socket, () => this.#take(socket));
  }

  #take(socket: Socket): void {
    if (this.#state.name === "closed") return void socket.destroy();
    if (this.#crowd.length === 0 && this.#headroom.hasRoom(this.#open)) {
      return this.#init.onConnection(socket);
    }
    if (this.#crowd.push(socket) === 1) setImmediate(() => this.#judgeCrowd());
  }

  /**
   * The runtime may accept a whole burst before it reports the first connection: then none of them finds a free
   * descriptor, because the others have them. The first are served, as far as closing the last ones frees descriptors.
   */
  #judgeCrowd(): void {
    const crowd = this.#crowd;
    this.#crowd = [];
    for (const [index, socket] of crowd.entries()) {
      const later = crowd.length - 1 - index;
      if (socket.destroyed) continue;
      if (this.#state.name === "closed") socket.destroy();
      else if (this.#headroom.hasRoom(this.#open - later, -later)) this.#init.onConnection(socket);
      else this.#refuse(socket);
    }
  }

  #refuse(socket: Socket): void {
    for (const probe of probes) probe.doubt();
    const why = "the program has too many files and connections open";
    this.#init.onCrowded(socket, new SallyportError("limit_reached", `Cannot accept a connection: ${why}`));
  }

  /** Closes the port and opens it again; connections in its backlog are lost. */
  #reopen(): void {
    if (this.#state.name !== "open") return;
    const { port } = this.#address;
    const why = "the port had stopped accepting, as it does when too many files are open";
    this.#report(new SallyportError("limit_reached", `Cannot accept connections on port ${port}: ${why}`));
    this.#retry(0);
  }

  #retry(ms: number): void {
    const cancel = this.#clock.after(ms, () => {
      this.#listen(this.#address.port).then(() => this.#reopened(), (error) => this.#notReopened(error));
    });
    this.#leave({ name: "reopening", cancel });
  }

  #reopened(): void {
    const since = this.#errorAt;
    if (this.#state.name !== "open" || since === undefined) return;
    this.#errorAt = undefined;
    this.#init.onReopened?.(this.#clock.now() - since);
  }

  #notReopened(error: unknown): void {
    if (this.#state.name !== "reopening") return;
    this.#report(fromOsError(error, `listen on port ${this.#address.port} again`));
    this.#retry(RETRY);
  }

  /** The port is tried four times a second, but an error is logged once a minute. */
  #report(error: SallyportError): void {
    if (this.#outage.failed(error.message) === undefined) return;
    this.#errorAt ??= this.#clock.now();
    this.#init.onError(error);
  }
}
