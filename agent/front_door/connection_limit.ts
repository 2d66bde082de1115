import type { Socket } from "node:net";
import { SallyportError } from "../../shared/errors.ts";
import type { FrontDoorContext } from "./client/context.ts";
import { lingeringClose } from "./client/lingering_close.ts";
import { detectProtocol } from "./client/protocol_detection.ts";
import { encodeRefusal } from "./refusals/raw_response.ts";
import { createRefusal } from "./refusals/refusal.ts";
import { refuseAndClose } from "./refusals/send_refusal.ts";
import { SOCKS5_NO_METHOD } from "./socks/socks5_handshake.ts";

/** Connections over the limit that get a refusal; more are closed without one. */
const MAX_REFUSALS = 64;
/** Milliseconds for the first byte of such a connection, which identifies its protocol. */
const FIRST_BYTE_TIMEOUT = 2_000;
/** Milliseconds to read a refusal when descriptors have run out: other clients need this one. */
const OUT_OF_DESCRIPTORS_LINGER = 250;

/**
 * Refuses a connection over the limit in its own protocol. While many are being refused, further ones are closed
 * without a response.
 *
 * @param count Open connections, including this one.
 * @param maxConnections How many of them are served.
 */
export function refuseOverLimit(
  context: FrontDoorContext,
  socket: Socket,
  { count, maxConnections }: { count: number; maxConnections: number },
): void {
  if (count > maxConnections + MAX_REFUSALS) {
    context.log.debug("client dropped over connection limit", { max_connections: maxConnections });
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
  detectProtocol(socket, { clock, firstByteTimeoutMs: FIRST_BYTE_TIMEOUT }, (protocol) => {
    if (protocol === "http") return refuseAndClose(context, socket, { protocol, target: "", error });
    context.refused({ protocol, target: "", error });
    lingeringClose(socket, clock, SOCKS5_NO_METHOD);
  });
}

/** Refuses a connection, before its protocol is known, because the process has run out of descriptors. */
export function refuseOutOfDescriptors(
  context: FrontDoorContext,
  socket: Socket,
  error: SallyportError,
): void {
  context.refused({ protocol: "tcp", target: "", error });
  const response = encodeRefusal(createRefusal(error));
  lingeringClose(socket, context.clock, response, OUT_OF_DESCRIPTORS_LINGER);
}
