import type { Socket } from "node:net";
import { SallyportError } from "../../shared/errors.ts";
import { refuseAndClose } from "./client_refusal.ts";
import { closeGently } from "./close_gently.ts";
import type { FrontDoorContext } from "./context.ts";
import { SOCKS5, withFirstByte } from "./first_byte.ts";
import { SOCKS5_NO_METHOD } from "./socks5_handshake.ts";

/** Connections beyond the limit that are told so. */
const MAX_TURNED_AWAY = 64;
/** Milliseconds for such a connection's first byte, which says how to tell it. */
const FIRST_BYTE_TIMEOUT = 2_000;

/**
 * Says in the client's protocol that there are too many; those who come while many are being told so are cut.
 *
 * @param count Connections that are open, this one included.
 * @param maxConnections How many of them are served.
 */
export function turnAway(
  context: FrontDoorContext,
  socket: Socket,
  { count, maxConnections }: { count: number; maxConnections: number },
): void {
  if (count > maxConnections + MAX_TURNED_AWAY) {
    context.log.debug("Cut a client beyond the limit", { max_connections: maxConnections });
    socket.on("error", () => {});
    socket.destroy();
    return;
  }
  const error = new SallyportError(
    "limit_reached",
    `Cannot serve another client: ${maxConnections} are connected`,
    { at: "here" },
  );
  const { clock } = context;
  withFirstByte(socket, { clock, firstByteTimeoutMs: FIRST_BYTE_TIMEOUT }, ([first]) => {
    if (first !== SOCKS5) return refuseAndClose(context, socket, { protocol: "http", target: "", error });
    context.refused({ protocol: "socks5", target: "", error });
    closeGently(socket, clock, SOCKS5_NO_METHOD);
  });
}
