import { hostPort } from "../../shared/net/host_port.ts";
import type { Socket } from "node:net";
import { type ErrorCode, SallyportError } from "../../shared/errors.ts";
import type { Authority } from "./authority.ts";
import { closeGently } from "./close_gently.ts";
import { connectError } from "./connect_error.ts";
import type { FrontDoorContext } from "./context.ts";
import {
  SOCKS5_REPLIES,
  Socks5Handshake,
  type Socks5Reply,
  socks5Reply,
  type Socks5Step,
} from "./socks5_handshake.ts";
import { joinTunnel } from "./tunnel.ts";
import { attemptTunnel } from "./tunnel_attempt.ts";

/** Failures that have a reply of their own (RFC 1928 section 6); all others are "general". */
const REPLIES: Partial<Record<ErrorCode, Socks5Reply>> = {
  target_refused: SOCKS5_REPLIES.refused,
  target_denied: SOCKS5_REPLIES.denied,
  target_unreachable: SOCKS5_REPLIES.hostUnreachable,
  dns_error: SOCKS5_REPLIES.hostUnreachable,
  dns_timeout: SOCKS5_REPLIES.hostUnreachable,
  // "TTL expired" is what other SOCKS servers say for a time-out; it tells it from an unreachable host.
  target_timeout: SOCKS5_REPLIES.timedOut,
  tunnel_down: SOCKS5_REPLIES.networkUnreachable,
  going_away: SOCKS5_REPLIES.networkUnreachable,
};

/** The SOCKS5 reply that tells of `code`. */
export function replyTo(code: ErrorCode): Socks5Reply {
  return REPLIES[code] ?? SOCKS5_REPLIES.general;
}

/**
 * Serves a SOCKS5 connection (RFC 1928): the handshake, then the tunnel.
 * @param first Bytes that were already read.
 * @param onComplete The handshake is over.
 */
export function handleSocks5(
  context: FrontDoorContext,
  socket: Socket,
  first: Uint8Array,
  onComplete: () => void,
): void {
  const handshake = new Socks5Handshake(context.authorize);
  const leave = () => {
    cancelDeadline();
    socket.pause();
    socket.removeListener("data", take);
    socket.removeListener("end", hangUp);
    socket.removeListener("close", cancelDeadline);
  };
  const hangUp = () => {
    leave();
    socket.destroy();
  };
  const take = (bytes: Uint8Array) => {
    for (const step of handshake.push(bytes)) {
      if (step.kind !== "answer") {
        leave();
        onComplete();
      }
      perform(context, socket, step);
    }
  };
  const cancelDeadline = context.clock.after(context.headTimeoutMs, hangUp);
  socket.on("error", () => {});
  socket.on("data", take);
  socket.on("end", hangUp);
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
        error: new SallyportError("bad_request", `Cannot serve SOCKS5: ${step.problem}`),
      });
      return closeGently(socket, context.clock, step.bytes);
    case "hang_up":
      context.log.debug("SOCKS5 handshake failed", { problem: step.problem });
      return closeGently(socket, context.clock);
  }
}

function open(context: FrontDoorContext, socket: Socket, authority: Authority, early: Uint8Array): void {
  const target = hostPort(authority.host, authority.port);
  const refuse = (error: SallyportError) => {
    context.refused({ protocol: "socks5", target, error });
    closeGently(socket, context.clock, socks5Reply(replyTo(error.code)));
  };
  attemptTunnel(context, {
    socket,
    opening: { type: "connect_request", payload: authority },
    early,
    answered(stream, message) {
      const error = connectError(stream, message);
      if (error !== undefined) return refuse(error);
      joinTunnel(context, socket, stream, socks5Reply(SOCKS5_REPLIES.succeeded), target);
    },
    failed: refuse,
  });
}
