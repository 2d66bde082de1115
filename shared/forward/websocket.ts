import { type ClientRequest, type IncomingMessage, request as startRequest } from "node:http";
import type { Socket } from "node:net";
import { SallyportError } from "../errors.ts";
import { addVia, headerValues, removeHopByHop } from "../http/headers.ts";
import type { MuxStream } from "../mux/stream.ts";
import { IdleTimer } from "../net/idle_timer.ts";
import { splice } from "../net/splice.ts";
import type { HeaderList, Payload } from "../protocol/messages.ts";
import { hostPort } from "../net/host_port.ts";
import type { ForwardContext } from "./context.ts";
import { originError } from "./origin_error.ts";
import { OutcomeRecorder } from "./outcome.ts";
import { refuse } from "./refuse.ts";
import { hostFirst, PSEUDONYM, requireNoContent } from "./request_head.ts";
import { relayBody, responseHead } from "./response.ts";

/**
 * Serves a `websocket_open`: asks the target to switch, on a connection of its own. After its 101 the bytes
 * travel untouched, both ways; any other answer is passed back with its body.
 */
export function forwardWebSocket(stream: MuxStream, context: ForwardContext): void {
  new WebSocketOpening(stream, context).begin();
}

class WebSocketOpening {
  readonly #stream: MuxStream;
  readonly #context: ForwardContext;
  readonly #payload: Payload<"websocket_open">;
  readonly #target: string;
  readonly #recorder: OutcomeRecorder;
  readonly #abort = new AbortController();
  readonly #idle: IdleTimer;
  #socket: Socket | undefined;
  #response: IncomingMessage | undefined;
  /** The answer has been passed on, or the failure has been told. */
  #answered = false;

  constructor(stream: MuxStream, context: ForwardContext) {
    this.#stream = stream;
    this.#context = context;
    this.#payload = stream.opening.payload as Payload<"websocket_open">;
    this.#target = hostPort(this.#payload.host, this.#payload.port);
    this.#recorder = new OutcomeRecorder(stream, context);
    const { clock, idleTimeoutMs: timeoutMs } = context;
    this.#idle = new IdleTimer({ clock, timeoutMs, onIdle: () => this.#idled(timeoutMs) });
  }

  begin(): void {
    this.#stream.listen({
      drain: () => void this.#response?.resume(),
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
      (socket) => this.#ask(socket, headers),
      (reason: unknown) => this.#fail(SallyportError.from(reason)),
    );
  }

  #ask(socket: Socket, headers: HeaderList): void {
    if (this.#stream.over || this.#answered) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    this.#recorder.address = socket.remoteAddress;
    const { host, port, path } = this.#payload;
    try {
      const createConnection = () => socket;
      const request = startRequest({
        createConnection,
        method: "GET",
        host,
        port,
        path,
        headers,
        setHost: false,
      });
      request.maxHeadersCount = 0;
      this.#watch(request);
      request.end();
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
    }
  }

  #watch(request: ClientRequest): void {
    request.on("upgrade", (response, _, head) => this.#switched(response, head));
    request.on("response", (response) => this.#refused(response));
    request.on("error", (reason) => this.#fail(originError(reason, this.#target)));
  }

  #switched(response: IncomingMessage, head: Uint8Array): void {
    if (this.#answered) return;
    const [socket, stream, recorder] = [this.#socket!, this.#stream, this.#recorder];
    try {
      const { status, reason } = responseHead(response);
      // Here the hop-by-hop fields are the answer: the client looks for Upgrade and Connection.
      const headers = addVia(response.rawHeaders, response.httpVersion, PSEUDONYM);
      stream.send({ type: "websocket_ack", payload: { status, reason, headers } }, head);
      recorder.status = status;
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
      return;
    }
    this.#answered = true;
    this.#idle.stop();
    const { clock, idleTimeoutMs } = this.#context;
    const onClosed = (error: SallyportError | undefined) => recorder.done(error);
    splice({ socket, stream, clock, idleTimeoutMs, resetCode: "target_reset", onClosed });
  }

  #refused(response: IncomingMessage): void {
    if (this.#answered) return;
    const stream = this.#stream;
    try {
      const payload = responseHead(response);
      this.#recorder.status = payload.status;
      this.#response = response;
      stream.send({ type: "websocket_ack", payload });
    } catch (reason) {
      this.#fail(originError(reason, this.#target));
      return;
    }
    relayBody(response, stream, {
      touch: () => this.#idle.touch(),
      ended: () => {
        this.#answered = true;
        this.#socket?.destroy();
      },
      failed: (reason) => this.#fail(originError(reason, this.#target)),
    });
    // What the client sent ahead of the answer was meant for a WebSocket.
    stream.resume();
  }

  #fail(error: SallyportError): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#socket?.destroy();
    if (this.#stream.over) return;
    if (this.#response) this.#stream.reset(error.code, error.message);
    else {
      this.#idle.stop();
      refuse(this.#stream, error, { recorder: this.#recorder, clock: this.#context.clock });
    }
  }

  #idled(timeoutMs: number): void {
    const message = `Cannot get on with ${this.#target}: no byte for ${timeoutMs} ms`;
    if (this.#answered) this.#stream.reset("idle_timeout", message);
    else this.#fail(new SallyportError(this.#response ? "idle_timeout" : "target_timeout", message));
  }

  #closed(error: SallyportError | undefined): void {
    this.#idle.stop();
    this.#abort.abort();
    if (error) this.#socket?.destroy();
    this.#recorder.done(error);
  }
}

/** The opening handshake's head (RFC 6455 section 4.1): what is for the WebSocket is not touched. */
function openingHeaders({ headers, host, port }: Payload<"websocket_open">): HeaderList {
  requireNoContent(headers);
  const upgrade = headerValues(headers, "upgrade")[0] ?? "websocket";
  const kept = hostFirst(removeHopByHop(headers), host, port);
  return [...addVia(kept, "1.1", PSEUDONYM), "Connection", "Upgrade", "Upgrade", upgrade];
}
