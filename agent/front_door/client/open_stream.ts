import type { EndOptions, MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { OpeningMessage } from "../../../shared/protocol/messages.ts";

/** What is sent together with an opening message. */
export interface FirstBytes extends EndOptions {
  /** The stream's first bytes. */
  bytes?: Uint8Array;
}

/**
 * Opens a stream to a target, through the tunnel or directly. This is all that the front door knows of the routes.
 * It may wait until there is a connection to the server.
 *
 * @throws SallyportError `tunnel_down`, `going_away`, `limit_reached`, `target_denied` and others
 */
export type OpenStream = (opening: OpeningMessage, first?: FirstBytes) => Promise<MuxStream>;
