import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { SallyportError } from "../../../shared/errors.ts";
import type { FrontDoorContext } from "../client/context.ts";
import { type Authority, parseAuthority } from "../client/request_authority.ts";
import { refuseAndClose } from "../refusals/send_refusal.ts";
import { openTunnel } from "../tunnels/open_tunnel.ts";
import { validateRequest } from "./request_validation.ts";

const ESTABLISHED = Buffer.from("HTTP/1.1 200 Connection established\r\n\r\n");

/**
 * Serves an HTTP `CONNECT` (RFC 9110 section 9.3.6).
 *
 * @param head What the client sent after the request.
 */
export function handleConnect(
  context: FrontDoorContext,
  request: IncomingMessage,
  socket: Socket,
  head: Uint8Array,
): void {
  const requested = request.url ?? "";
  const refuse = (error: SallyportError, target: string) =>
    refuseAndClose(context, socket, { protocol: "connect", target, error });
  let authority: Authority;
  try {
    validateRequest(request, { mayHaveContent: false, authorize: context.authorize });
    authority = parseAuthority(requested);
  } catch (reason) {
    return refuse(SallyportError.from(reason), requested.replace(/^[^]*@/, ""));
  }
  openTunnel(context, {
    socket,
    protocol: "connect",
    authority,
    early: head,
    established: ESTABLISHED,
    refuse,
  });
}
