import type { MuxStream } from "../../shared/mux/stream.ts";
import type { HeaderList, OpeningMessage } from "../../shared/protocol/messages.ts";

/** What leaves together with an opening message. */
export interface FirstBytes {
  /** The stream's first bytes. */
  bytes?: Uint8Array;
  /** Whether nothing follows them. */
  end?: boolean;
  /** Trailers of a body that ends here. */
  trailers?: HeaderList;
}

/**
 * Opens a stream to whoever serves its target, the server or another room of the agent; all that the front door
 * knows of the ways there. It may wait until there is a connection.
 * @throws SallyportError `tunnel_down`, `going_away`, `limit_reached`, `target_denied` …
 */
export type OpenStream = (opening: OpeningMessage, first?: FirstBytes) => Promise<MuxStream>;
