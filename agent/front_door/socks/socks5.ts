import type { Socket } from "node:net";
import { type ErrorCode, SallyportError } from "../../../shared/errors.ts";
import type { Authority } from "../client/request_authority.ts";
import { lingeringClose } from "../client/lingering_close.ts";
import type { FrontDoorContext } from "../client/context.ts";
import {
  SOCKS5_REPLIES,
  Socks5Handshake,
  type Socks5Reply,
  socks5Reply,
  type Socks5Step,
} from "./socks5_handshake.ts";
import { openTunnel } from "../tunnels/open_tunnel.ts";

/** Error codes with a specific reply (RFC 1928 section 6); all others are "general". */
const REPLIES: Partial<Record<ErrorCode, Socks5Reply>> = {
  target_refused: SOCKS5_REPLIES.refused,
  target_denied: SOCKS5_REPLIES.denied,
  target_unreachable: SOCKS5_REPLIES.hostUnreachable,
  dns_error: SOCKS5_REPLIES.hostUnreachable,
  dns_timeout: SOCKS5_REPLIES.hostUnreachable,
  // "TTL expired" is what other SOCKS servers reply on a timeout; it differs from an unreachable host.
  target_timeout: SOCKS5_REPLIES.timedOut,
  tunnel_down: SOCKS5_REPLIES.networkUnreachable,
  session_unknown: SOCKS5_REPLIES.networkUnreachable,
  going_away: SOCKS5_REPLIES.networkUnreachable,
};

/** The SOCKS5 reply for an error code. */
export function socks5ReplyFor(code: ErrorCode): Socks5Reply {
  return REPLIES[code] ?? SOCKS5_REPLIES.general;
}

/**
 * Serves a SOCKS5 connection (RFC 1928): the handshake, then the stream.
 *
 * @param first Bytes that were already read.
 * @param onComplete Called when the handshake is complete.
 */
export function handleSocks5(
  context: FrontDoorContext,
  socket: Socket,
  first: Uint8Array,
  onComplete: () => void,
): void {
  const handshake = new Socks5Handshake(context.authorize);
  const removeListeners = () => {
    cancelDeadline();
    socket.pause();
    socket.removeListener("data", take);
    socket.removeListener("end", giveUp);
    socket.removeListener("close", cancelDeadline);
  };
  const giveUp = () => {
    removeListeners();
    socket.destroy();
  };
  const take = (bytes: Uint8Array) => {
    for (const step of handshake.push(bytes)) {
      if (step.kind !== "answer") {
        removeListeners();
        onComplete();
      }
      perform(context, socket, step);
    }
  };
  const cancelDeadline = context.clock.after(context.headTimeoutMs, giveUp);
  socket.on("error", () => {});
  socket.on("data", take);
  socket.on("end", giveUp);
  socket.on("close", cancelDeadline);
  take(first);
}

function perform(context: FrontDoorContext, socket: Socket, step: Socks5Step): void {
  switch (step.kind) {
    case "answer":
      socket.write(step.bytes);
      return;
    case "connect":
      return open(context, socket, step.target, step.rest);
    case "refuse":
      context.refused({
        protocol: "socks5",
        target: "",
        error: new SallyportError("bad_request", `Cannot serve SOCKS5: ${step.reason}`),
      });
      return lingeringClose(socket, context.clock, step.bytes);
    case "close":
      context.log.debug("socks5 handshake failed", { error: step.reason });
      return lingeringClose(socket, context.clock);
  }
}

function open(context: FrontDoorContext, socket: Socket, authority: Authority, early: Uint8Array): void {
  openTunnel(context, {
    socket,
    protocol: "socks5",
    authority,
    early,
    established: socks5Reply(SOCKS5_REPLIES.succeeded),
    refuse(error, target) {
      context.refused({ protocol: "socks5", target, error });
      lingeringClose(socket, context.clock, socks5Reply(socks5ReplyFor(error.code)));
    },
  });
}
