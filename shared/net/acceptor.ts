import { hostPort } from "./host_port.ts";
import { reachable } from "./reachable.ts";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate } from "node:timers";
import type { CancelTimer, Clock } from "../clock.ts";
import { SallyportError } from "../errors.ts";
import { systemClock } from "../system_clock.ts";
import { AcceptWatch } from "./accept_watch.ts";
import { DescriptorRoom } from "./descriptor_room.ts";
import { fromOsError } from "./os_error.ts";

/** Milliseconds before a port that could not be had again is asked for once more. */
const RETRY = 250;
/** Of all ports: they share the descriptors of the process, so that any of them may have gone deaf when one is crowded. */
const watches = new Set<AcceptWatch>();

/** What makes an {@linkcode Acceptor}. */
export interface AcceptorInit {
  /** Address to listen at. */
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** Whether each direction of a connection ends on its own. */
  allowHalfOpen: boolean;
  /** A connection came. */
  onConnection(socket: Socket): void;
  /**
   * A connection came that cannot be served: the process has no more than a few descriptors left. The callee
   * says so, if it can, and closes it soon.
   */
  onCrowded(socket: Socket, reason: SallyportError): void;
  /** The port did not take connections for a while, and why. */
  onTrouble(error: SallyportError): void;
  /** @default the machine's clock */
  clock?: Clock;
}

type State =
  | { name: "opening" }
  | { name: "open"; server: Server }
  | { name: "reopening"; cancel: CancelTimer }
  | { name: "closed" };

/**
 * A TCP port that goes on taking connections after the process was out of descriptors. While there are none to
 * spare it says so to those who come.
 */
export class Acceptor {
  readonly #init: AcceptorInit;
  readonly #clock: Clock;
  readonly #room: DescriptorRoom;
  #state: State = { name: "opening" };
  #watch: AcceptWatch | undefined;
  #open = 0;
  /** Connections for which there was no room, until all of a burst are here. */
  #crowd: Socket[] = [];
  #address: AddressInfo = { address: "", family: "", port: 0 };

  private constructor(init: AcceptorInit) {
    this.#init = init;
    this.#clock = init.clock ?? systemClock;
    this.#room = new DescriptorRoom(this.#clock);
  }

  /**
   * Listens.
   * @throws SallyportError when the port cannot be had.
   */
  static async open(init: AcceptorInit): Promise<Acceptor> {
    const acceptor = new Acceptor(init);
    const { host, port } = init;
    try {
      await acceptor.#listen(port);
    } catch (error) {
      throw fromOsError(error, `listen on ${hostPort(host, port)}`);
    }
    acceptor.#watch = new AcceptWatch({
      clock: acceptor.#clock,
      connect: () => connect({ host: reachable(acceptor.#address.address), port: acceptor.#address.port }),
      stalled: () => acceptor.#reopen(),
    });
    watches.add(acceptor.#watch);
    return acceptor;
  }

  /** Where it listens. */
  get address(): AddressInfo {
    return this.#address;
  }

  /** Frees the port. Connections belong to those who took them. */
  close(): void {
    if (this.#watch !== undefined) watches.delete(this.#watch);
    this.#watch?.stop();
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
      this.#init.onTrouble(fromOsError(error, "accept connections"));
      this.#watch?.doubt();
    });
    if (this.#state.name === "closed") return void server.close();
    this.#address = server.address() as AddressInfo;
    this.#leave({ name: "open", server });
  }

  #accepted(socket: Socket): void {
    // Stays for good: an error without a listener ends the process.
    socket.on("error", () => {});
    this.#open++;
    socket.once("close", () => this.#open--);
    if (this.#watch === undefined) this.#take(socket);
    else this.#watch.arrived(socket, () => this.#take(socket));
  }

  #take(socket: Socket): void {
    if (this.#state.name === "closed") return void socket.destroy();
    if (this.#crowd.length === 0 && this.#room.hasRoom(this.#open)) return this.#init.onConnection(socket);
    if (this.#crowd.push(socket) === 1) setImmediate(() => this.#judgeCrowd());
  }

  /**
   * The runtime may accept a whole burst before it tells of the first: then none of them finds room, because the others
   * have it. The first are served as far as closing the last makes room for them.
   */
  #judgeCrowd(): void {
    const crowd = this.#crowd;
    this.#crowd = [];
    for (const [index, socket] of crowd.entries()) {
      const later = crowd.length - 1 - index;
      if (socket.destroyed) continue;
      if (this.#state.name === "closed") socket.destroy();
      else if (this.#room.hasRoom(this.#open - later, -later)) this.#init.onConnection(socket);
      else this.#refuse(socket);
    }
  }

  #refuse(socket: Socket): void {
    for (const watch of watches) watch.doubt();
    const why = "the program has too many files and connections open";
    this.#init.onCrowded(socket, new SallyportError("limit_reached", `Cannot take a connection: ${why}`));
  }

  /** Gives the port back and takes it anew: those who wait at the deaf one are cut. */
  #reopen(): void {
    if (this.#state.name !== "open") return;
    const { port } = this.#address;
    const why = "the port had stopped taking any, as it does when too many files are open";
    this.#init.onTrouble(
      new SallyportError("limit_reached", `Cannot take connections on port ${port}: ${why}`),
    );
    this.#retry(0);
  }

  #retry(ms: number): void {
    const cancel = this.#clock.after(ms, () => {
      this.#listen(this.#address.port).catch((error) => this.#notReopened(error));
    });
    this.#leave({ name: "reopening", cancel });
  }

  #notReopened(error: unknown): void {
    if (this.#state.name !== "reopening") return;
    this.#init.onTrouble(fromOsError(error, `listen on port ${this.#address.port} again`));
    this.#retry(RETRY);
  }
}
