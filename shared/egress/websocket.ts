import { type ClientRequest, type IncomingMessage, request as startRequest } from "node:http";
import type { Socket } from "node:net";
import { SallyportError } from "../errors.ts";
import { addVia, headerValues, removeHopByHop } from "../http/headers.ts";
import { writeLatin1Heads } from "../http/headers.ts";
import type { MuxStream } from "../mux/stream/stream.ts";
import { IdleTimer } from "../net/idle_timer.ts";
import { splice } from "../net/splice.ts";
import type { HeaderList, Payload } from "../protocol/messages.ts";
import { hostPort } from "../net/host_port.ts";
import type { ForwardContext } from "./context.ts";
import { originError } from "./http/origin_error.ts";
import { StreamAccounting } from "./accounting.ts";
import { refuse } from "./refuse.ts";
import { hostFirst, PSEUDONYM, requireNoContent } from "./http/request_head.ts";
import { filterResponses } from "./filter/filtered_socket.ts";
import { relayBody, responseHead } from "./http/response.ts";

/**
 * Serves a `websocket_open`: asks the target to switch protocols, on a new connection. After a 101 the bytes are
 * relayed unchanged in both directions; any other response is passed back with its body.
 */
export function forwardWebSocket(stream: MuxStream, context: ForwardContext): void {
  new WebSocketOpening(stream, context).begin();
}

type State =
  /** No connection yet. */
  | { readonly name: "dialling" }
  /** The request has been sent. */
  | { readonly name: "requesting"; readonly socket: Socket }
  /** The target did not switch; its response is relayed. */
  | { readonly name: "responding"; readonly socket: Socket; readonly response: IncomingMessage }
  /** The protocol was switched, the response relayed, or the failure reported. */
  | { readonly name: "over"; readonly socket: Socket | undefined };

class WebSocketOpening {
  readonly #stream: MuxStream;
  readonly #context: ForwardContext;
  readonly #payload: Payload<"websocket_open">;
  readonly #target: string;
  readonly #accounting: StreamAccounting;
  readonly #abort = new AbortController();
  readonly #idle: IdleTimer;
  #state: State = { name: "dialling" };

  constructor(stream: MuxStream, context: ForwardContext) {
    this.#stream = stream;
    this.#context = context;
    this.#payload = stream.opening.payload as Payload<"websocket_open">;
    this.#target = hostPort(this.#payload.host, this.#payload.port);
    this.#accounting = new StreamAccounting(stream, context);
    const { clock, idleTimeoutMs: timeoutMs, onActive } = context;
    this.#idle = new IdleTimer({ clock, timeoutMs, onIdle: () => this.#idled(timeoutMs), onActive });
  }

  begin(): void {
    this.#stream.listen({
      drain: () => this.#state.name === "responding" && this.#state.response.resume(),
      closed: (error) => this.#closed(error),
    });
    let headers: HeaderList;
    try {
      headers = openingHeaders(this.#payload);
    } catch (reason) {
      return this.#fail(SallyportError.from(reason));
    }
    const { host, port } = this.#payload;
    this.#context.dial(host, port, this.#abort.signal).then(
      (socket) => this.#request(socket, headers),
      (reason: unknown) => this.#fail(SallyportError.from(reason)),
    );
  }

  #setState(state: State): void {
    this.#state = state;
  }

  get #socket(): Socket | undefined {
    return this.#state.name === "dialling" ? undefined : this.#state.socket;
  }

  #request(socket: Socket, headers: HeaderList): void {
    if (this.#stream.over || this.#state.name === "over") {
      socket.destroy();
      return;
    }
    this.#setState({ name: "requesting", socket });
    writeLatin1Heads(socket);
    this.#accounting.address = socket.remoteAddress;
    const { host, port, path } = this.#payload;
    try {
      const filter = filterResponses(socket, "GET");
      filter.onExcess = () => this.#accounting.noteExcess();
      filter.chargeTo((bytes) => this.#stream.charge(bytes));
      const target = { host, port, path, createConnection: () => socket };
      const request = startRequest({ ...target, method: "GET", headers, setHost: false });
      request.maxHeadersCount = 0;
      this.#watch(request, socket);
      request.end();
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
    }
  }

  #watch(request: ClientRequest, socket: Socket): void {
    request.on("upgrade", (response, _, head) => this.#switched(socket, response, head));
    request.on("response", (response) => this.#relay(socket, response));
    request.on("error", (reason) => this.#fail(originError(reason, this.#target)));
  }

  #switched(socket: Socket, response: IncomingMessage, head: Uint8Array): void {
    if (this.#state.name === "over") return;
    const [stream, accounting] = [this.#stream, this.#accounting];
    try {
      const { status, reason } = responseHead(response);
      // These hop-by-hop fields are meant for the client: it checks Upgrade and Connection.
      const headers = addVia(response.rawHeaders, response.httpVersion, PSEUDONYM);
      stream.send({ type: "websocket_ack", payload: { status, reason, headers } }, head);
      accounting.status = status;
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
      return;
    }
    this.#setState({ name: "over", socket });
    this.#idle.stop();
    const { clock, idleTimeoutMs, onActive } = this.#context;
    const onClosed = (error: SallyportError | undefined) => accounting.done(error);
    splice({ socket, stream, clock, idleTimeoutMs, onActive, resetCode: "target_reset", onClosed });
  }

  #relay(socket: Socket, response: IncomingMessage): void {
    if (this.#state.name === "over") return;
    const stream = this.#stream;
    try {
      const payload = responseHead(response);
      this.#accounting.status = payload.status;
      this.#setState({ name: "responding", socket, response });
      stream.send({ type: "websocket_ack", payload });
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
      return;
    }
    relayBody(response, stream, {
      touch: () => this.#idle.touch(),
      ended: () => {
        this.#setState({ name: "over", socket });
        socket.destroy();
      },
      failed: (reason) => this.#fail(originError(reason, this.#target)),
    });
    // What the client sent before the response was meant for a WebSocket: it is discarded.
    stream.resume();
  }

  #fail(error: SallyportError): void {
    const failed = this.#state;
    if (failed.name === "over") return;
    this.#setState({ name: "over", socket: this.#socket });
    this.#socket?.destroy();
    if (this.#stream.over) return;
    if (failed.name === "responding") this.#stream.reset(error.code, error.message);
    else {
      this.#idle.stop();
      refuse(this.#stream, error, { accounting: this.#accounting, clock: this.#context.clock });
    }
  }

  #idled(timeoutMs: number): void {
    const message = `Cannot continue with ${this.#target}: no byte for ${timeoutMs} ms`;
    if (this.#state.name === "over") this.#stream.reset("idle_timeout", message);
    else {
      const isAwaitingResponse = this.#state.name !== "responding";
      this.#fail(new SallyportError(isAwaitingResponse ? "target_timeout" : "idle_timeout", message));
    }
  }

  #closed(error: SallyportError | undefined): void {
    this.#idle.stop();
    this.#abort.abort();
    if (error) this.#socket?.destroy();
    this.#accounting.done(error);
  }
}

/** The head of the opening handshake (RFC 6455 section 4.1); the WebSocket's own fields stay unchanged. */
function openingHeaders({ headers, host, port }: Payload<"websocket_open">): HeaderList {
  requireNoContent(headers);
  const upgrade = headerValues(headers, "upgrade")[0] ?? "websocket";
  const kept = hostFirst(removeHopByHop(headers), host, port);
  return [...addVia(kept, "1.1", PSEUDONYM), "Connection", "Upgrade", "Upgrade", upgrade];
}
