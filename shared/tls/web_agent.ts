import type { ClientRequestArgs } from "node:http";
import { Agent } from "node:https";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";

/**
 * An agent for `node:https` that trusts the public root CAs. Before each connection, the runtime's own agent looks for
 * further root CAs of the machine, which needs the permission `--allow-sys` without a list: with a list, every request
 * fails (`Requires sys access to "ca"`).
 */
export class WebAgent extends Agent {
  override createConnection(options: ClientRequestArgs): TLSSocket {
    return connect(options as ConnectionOptions);
  }
}
