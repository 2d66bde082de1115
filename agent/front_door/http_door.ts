import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { SallyportError } from "../../shared/errors.ts";
import { asksForWebSocket } from "./asks_for_websocket.ts";
import { closeGently } from "./close_gently.ts";
import { handleConnect } from "./connect.ts";
import type { Connections } from "./connections.ts";
import type { FrontDoorContext } from "./context.ts";
import { HttpConnection } from "./http_connection.ts";
import { handlePlainRequest } from "./plain_request.ts";
import { encodeRefusal } from "./raw_response.ts";
import { refusalOf } from "./refusal.ts";
import { handleUpgrade } from "./upgrade.ts";

/** Limits on the HTTP connections of clients. */
export interface HttpDoorOptions {
  /** Milliseconds that a connection may wait for its next request. */
  keepAliveTimeoutMs: number;
  /** Bytes of a request's line and headers. */
  maxHeaderBytes: number;
}

/** The HTTP half of the front door: a node:http server that is handed its connections. */
export class HttpDoor {
  readonly #context: FrontDoorContext;
  readonly #connections: Connections;
  readonly #options: HttpDoorOptions;
  readonly #server: Server;
  readonly #open = new WeakMap<object, HttpConnection>();

  constructor(context: FrontDoorContext, connections: Connections, options: HttpDoorOptions) {
    this.#context = context;
    this.#connections = connections;
    this.#options = options;
    this.#server = createServer(serverOptions(options));
    // A server that does not listen destroys connections after each answer, as if it were closing.
    Object.defineProperty(this.#server, "listening", { value: true });
    this.#listen();
  }

  /** Takes a connection over; `first` are the bytes that were read from it. */
  accept(socket: Socket, first: Uint8Array): void {
    const { clock, headTimeoutMs } = this.#context;
    const connection = new HttpConnection({
      socket,
      clock,
      headTimeoutMs,
      keepAliveTimeoutMs: this.#options.keepAliveTimeoutMs,
      onHeadTimeout: () => this.#tooSlow(socket),
      onBusy: () => this.#connections.markBusy(socket),
      onIdle: () => this.#connections.markIdle(socket),
    });
    this.#open.set(socket, connection);
    this.#server.emit("connection", socket);
    // Not put back into the socket: the parser reads the system's socket by itself, and may get there before them.
    socket.emit("data", first);
  }

  #listen(): void {
    const request = (request: IncomingMessage, response: ServerResponse) => {
      // A head that is complete only now was given up before.
      if (request.socket.writableEnded) return;
      if (this.#connections.draining) response.shouldKeepAlive = false;
      handlePlainRequest(this.#context, this.#connectionOf(request.socket), request, response);
    };
    this.#server.on("request", request);
    this.#server.on("checkContinue", request);
    this.#server.on("checkExpectation", request);
    this.#server.on("connect", (request: IncomingMessage, socket: Socket, head: Uint8Array) => {
      this.#handOver(socket, () => handleConnect(this.#context, request, socket, head));
    });
    this.#server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Uint8Array) => {
      this.#handOver(socket, () => handleUpgrade(this.#context, request, socket, head));
    });
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
      this.#clientError(error, socket);
    });
  }

  #handOver(socket: Socket, take: () => void): void {
    socket.on("error", () => {});
    if (socket.writableEnded) {
      socket.destroy();
      return;
    }
    this.#connectionOf(socket).handOver(() => {
      this.#connections.markBusy(socket);
      take();
    });
  }

  #clientError(error: NodeJS.ErrnoException, socket: Socket): void {
    if (!error.code?.startsWith("HPE_") || this.#connectionOf(socket).busy || !socket.writable) {
      socket.destroy();
      return;
    }
    const tooLarge = error.code === "HPE_HEADER_OVERFLOW";
    const problem = tooLarge
      ? `Cannot read the request: its head exceeds ${this.#options.maxHeaderBytes} bytes`
      : `Cannot read the request: it is not valid HTTP/1.1 (${error.code})`;
    this.#refuse(socket, tooLarge ? 431 : 400, problem);
  }

  #tooSlow(socket: Socket): void {
    const { headTimeoutMs } = this.#context;
    this.#refuse(socket, 408, `Cannot read the request: its head took more than ${headTimeoutMs} ms`);
  }

  #refuse(socket: Socket, status: number, problem: string): void {
    const error = new SallyportError("bad_request", problem);
    this.#context.refused({ protocol: "http", target: "", error });
    // node:http would go on feeding a parser that it has let go.
    socket.removeAllListeners("data");
    closeGently(socket, this.#context.clock, encodeRefusal(refusalOf(error, { status })));
  }

  #connectionOf(socket: Socket): HttpConnection {
    const connection = this.#open.get(socket);
    if (connection === undefined) {
      throw new SallyportError("internal", "Cannot find the request's connection");
    }
    return connection;
  }
}

function serverOptions({ maxHeaderBytes }: HttpDoorOptions): ServerOptions {
  const options = {
    maxHeaderSize: maxHeaderBytes,
    // The URL says where a request goes, and Host is written anew from it.
    requireHostHeader: false,
    // HttpConnection keeps the time instead: node:http would begin to when it listens, and it does not.
    keepAliveTimeout: 0,
    requestTimeout: 0,
    headersTimeout: 0,
    // Others, such as h2c, are hop-by-hop: the request is served without them.
    shouldUpgradeCallback: asksForWebSocket,
  };
  return options;
}
