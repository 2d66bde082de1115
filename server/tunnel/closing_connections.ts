import type { Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import { type LimitFigures, SharedLimit } from "../../shared/limits/shared_limit.ts";
import { refuseConnection } from "../../shared/mux/link/goaway.ts";
import type { Transport } from "../../shared/mux/transport.ts";

/** Lower bound of the connections that may be closing, or be refused, at the same time. */
const MIN_CLOSING = 32;

/** What makes {@linkcode ClosingConnections}. */
interface ClosingConnectionsInit {
  readonly clock: Clock;
  /** Connections that may be open at once. */
  readonly maxConnections: number;
  /** A connection that was refused is closed. */
  closed(): void;
}

/** Connections that close after they were given the reason; they do not count towards the limit of open ones. */
export class ClosingConnections {
  readonly #init: ClosingConnectionsInit;
  readonly #limit: SharedLimit<Transport>;

  constructor(init: ClosingConnectionsInit) {
    this.#init = init;
    this.#limit = new SharedLimit({
      total: Math.max(MIN_CLOSING, init.maxConnections),
      whenFull: "evict",
      cost: () => 0,
      evict: (transport) => transport.abort(),
    });
  }

  /** Connections that are closing now. */
  get count(): number {
    return this.#limit.count;
  }

  /** How they are shared, for metrics. */
  figures(): LimitFigures {
    return this.#limit.figures();
  }

  /** Counts a connection that was told to close. @param client Whose connection it is. */
  add(client: string, transport: Transport): void {
    this.#limit.take(client, transport);
  }

  /** A connection is closed; one that was not counted changes nothing. */
  remove(transport: Transport): void {
    this.#limit.release(transport);
  }

  /** Refuses a new connection with the reason. */
  refuse(client: string, transport: Transport, { code, message }: SallyportError): void {
    this.add(client, transport);
    const closed = () => {
      this.remove(transport);
      this.#init.closed();
    };
    refuseConnection({ transport, clock: this.#init.clock, code, message, closed });
  }
}
