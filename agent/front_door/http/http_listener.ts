import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { SallyportError } from "../../../shared/errors.ts";
import { writeLatin1Heads } from "../../../shared/http/headers.ts";
import type { ClientConnections } from "../client/client_connections.ts";
import type { FrontDoorContext } from "../client/context.ts";
import { RequestError } from "../refusals/request_error.ts";
import { refuseAndClose } from "../refusals/send_refusal.ts";
import { handleConnect } from "./connect.ts";
import { HttpConnection } from "./http_connection.ts";
import { escapeTarget, type ParseError, toRequestError } from "./parse_error.ts";
import { handlePlainRequest } from "./plain_request.ts";
import { handleUpgrade, isWebSocketUpgrade } from "./upgrade.ts";

/** Limits for the HTTP connections of clients. */
export interface HttpListenerOptions {
  /** Milliseconds that a connection may wait for its next request. */
  keepAliveTimeoutMs: number;
  /** Bytes of a request's line and headers. */
  maxHeaderBytes: number;
}

/** The HTTP half of the front door: a node:http server that gets its connections passed in. */
export class HttpListener {
  readonly #context: FrontDoorContext;
  readonly #connections: ClientConnections;
  readonly #options: HttpListenerOptions;
  readonly #server: Server;
  readonly #open = new WeakMap<object, HttpConnection>();
  /** The listeners of each connection from before it got a parser. */
  readonly #ownListeners = new WeakMap<Socket, ReadonlySet<unknown>>();

  constructor(context: FrontDoorContext, connections: ClientConnections, options: HttpListenerOptions) {
    this.#context = context;
    this.#connections = connections;
    this.#options = options;
    this.#server = createServer(serverOptions(options));
    // The size of a head is limited; with a limit on their number, fields would be dropped silently.
    this.#server.maxHeadersCount = 0;
    // A server that does not listen closes connections after each response, as if it were shutting down.
    Object.defineProperty(this.#server, "listening", { value: true });
    this.#addListeners();
  }

  /** Takes over a connection; `first` are the bytes that were read from it. */
  accept(socket: Socket, first: Uint8Array): void {
    const { clock, headTimeoutMs } = this.#context;
    const connection = new HttpConnection({
      socket,
      clock,
      headTimeoutMs,
      keepAliveTimeoutMs: this.#options.keepAliveTimeoutMs,
      onHeadTimeout: () => this.#headTimedOut(socket),
      onBusy: () => this.#connections.markBusy(socket),
      onIdle: () => this.#connections.markIdle(socket),
    });
    this.#open.set(socket, connection);
    writeLatin1Heads(socket);
    this.#ownListeners.set(
      socket,
      new Set(socket.eventNames().flatMap((event) => socket.listeners(event))),
    );
    this.#parse(socket, first);
  }

  /** Attaches a parser to a connection and passes it the bytes that were read before. */
  #parse(socket: Socket, first: Uint8Array): void {
    this.#server.emit("connection", socket);
    // Not unshifted into the socket: the parser reads the system's socket directly and could overtake these bytes.
    socket.emit("data", first);
  }

  #addListeners(): void {
    const request = (request: IncomingMessage, response: ServerResponse) => {
      // The head was completed after its connection was refused.
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

  #handOver(socket: Socket, takeOver: () => void): void {
    socket.on("error", () => {});
    if (socket.writableEnded) {
      socket.destroy();
      return;
    }
    this.#connectionOf(socket).handOver(() => {
      this.#connections.markBusy(socket);
      takeOver();
    });
  }

  #clientError(error: NodeJS.ErrnoException & ParseError, socket: Socket): void {
    if (!error.code?.startsWith("HPE_") || !socket.writable) {
      socket.destroy();
      return;
    }
    const connection = this.#connectionOf(socket);
    const isFirstPacket = socket.bytesRead === error.rawPacket?.length;
    const escaped = connection.awaitsHead ? escapeTarget(error, isFirstPacket) : undefined;
    if (escaped !== undefined) return this.#parseAgain(connection, socket, escaped);
    const requestError = toRequestError(error, this.#options.maxHeaderBytes);
    // The parser has released the connection; further bytes are discarded.
    socket.removeAllListeners("data");
    socket.resume();
    connection.parseFailed(requestError, () => this.#refuse(socket, requestError));
  }

  /** Continues with a new parser when the requests before have got their responses; nothing is read until then. */
  #parseAgain(connection: HttpConnection, socket: Socket, bytes: Uint8Array): void {
    socket.pause();
    // The previous parser's listeners would handle every event a second time.
    const kept = this.#ownListeners.get(socket)!;
    connection.handOver(() => {
      for (const event of socket.eventNames()) {
        for (const listener of socket.listeners(event) as (() => void)[]) {
          if (!kept.has(listener)) socket.removeListener(event, listener);
        }
      }
      connection.headStarted();
      this.#parse(socket, bytes);
      socket.resume();
    });
  }

  #headTimedOut(socket: Socket): void {
    const { headTimeoutMs } = this.#context;
    const message = `Cannot parse the request: its head took more than ${headTimeoutMs} ms`;
    this.#refuse(socket, new RequestError(message, { status: 408 }));
  }

  #refuse(socket: Socket, error: RequestError): void {
    refuseAndClose(this.#context, socket, { protocol: "http", target: "", error });
  }

  #connectionOf(socket: Socket): HttpConnection {
    const connection = this.#open.get(socket);
    if (connection === undefined) {
      throw new SallyportError("internal", "Cannot find the request's connection");
    }
    return connection;
  }
}

function serverOptions({ maxHeaderBytes }: HttpListenerOptions): ServerOptions {
  const options = {
    maxHeaderSize: maxHeaderBytes,
    // The URL determines where a request goes, and Host is rewritten from it.
    requireHostHeader: false,
    // HttpConnection has the timers: those of node:http start when the server listens, which it does not.
    keepAliveTimeout: 0,
    requestTimeout: 0,
    headersTimeout: 0,
    // Other upgrades, such as h2c, are hop-by-hop: the request is served without them.
    shouldUpgradeCallback: isWebSocketUpgrade,
  };
  return options;
}
