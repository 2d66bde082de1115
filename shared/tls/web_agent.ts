import type { ClientRequestArgs } from "node:http";
import { Agent } from "node:https";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";

/**
 * Makes the connections of `node:https`, by the public roots. The runtime's own agent looks for further roots of
 * the machine before each, for which it wants the right to learn everything about the system: with a part of that
 * right, and there is no part for this, every request fails (`Requires sys access to "ca"`).
 */
export class WebAgent extends Agent {
  override createConnection(options: ClientRequestArgs): TLSSocket {
    return connect(options as ConnectionOptions);
  }
}
