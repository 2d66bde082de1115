import { hostPort } from "../../shared/net/host_port.ts";
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { SallyportError } from "../../shared/errors.ts";
import { admit } from "./admission.ts";
import { type Authority, parseAuthority } from "./authority.ts";
import { refuseAndClose } from "./client_refusal.ts";
import { connectError } from "./connect_error.ts";
import type { FrontDoorContext } from "./context.ts";
import { joinTunnel } from "./tunnel.ts";
import { attemptTunnel } from "./tunnel_attempt.ts";

const ESTABLISHED = Buffer.from("HTTP/1.1 200 Connection established\r\n\r\n");

/**
 * Serves an HTTP `CONNECT` (RFC 9110 section 9.3.6).
 * @param head What the client sent behind the request.
 */
export function handleConnect(
  context: FrontDoorContext,
  request: IncomingMessage,
  socket: Socket,
  head: Uint8Array,
): void {
  const asked = request.url ?? "";
  const refuse = (error: SallyportError, target: string) =>
    refuseAndClose(context, socket, { protocol: "connect", target, error });
  let authority: Authority;
  try {
    admit(request, { mayHaveContent: false, authorize: context.authorize });
    authority = parseAuthority(asked);
  } catch (reason) {
    return refuse(SallyportError.from(reason), asked.replace(/^[^]*@/, ""));
  }
  const target = hostPort(authority.host, authority.port);
  attemptTunnel(context, {
    socket,
    opening: { type: "connect_request", payload: authority },
    early: head,
    answered(stream, message) {
      const error = connectError(stream, message);
      if (error !== undefined) return refuse(error, target);
      joinTunnel(context, socket, stream, ESTABLISHED, target);
    },
    failed: (error) => refuse(error, target),
  });
}
