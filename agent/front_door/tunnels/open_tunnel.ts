import type { Socket } from "node:net";
import type { SallyportError } from "../../../shared/errors.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import { hostPort } from "../../../shared/net/host_port.ts";
import { type EagerAnswer, openClientStream, spliceClient } from "../client/client_stream.ts";
import type { FrontDoorContext, RefusedRequest } from "../client/context.ts";
import type { EagerTunnels } from "../client/reached_hosts.ts";
import type { Authority } from "../client/request_authority.ts";
import { connectError } from "../refusals/response_error.ts";
import { EarlyTunnel } from "./early_tunnel.ts";

/** A tunnel that a client asks for, by CONNECT or SOCKS5. */
export interface TunnelInit {
  readonly socket: Socket;
  readonly protocol: Extract<RefusedRequest["protocol"], "connect" | "socks5">;
  readonly authority: Authority;
  /** What the client sent directly after its request. */
  readonly early: Uint8Array;
  /** The answer that says that the tunnel is open. */
  readonly established: Uint8Array;
  /** Answers that the target was not reached; it owns the socket then. */
  refuse(error: SallyportError, target: string): void;
}

/**
 * Opens a tunnel for a client, answers it, and relays bytes both ways.
 *
 * A client is answered as soon as its stream is open if a tunnel reached the same target lately, which saves it one
 * round trip to the server. While there is no connection to the server there is no stream either, so the client still
 * gets the refusal then.
 */
export function openTunnel(context: FrontDoorContext, init: TunnelInit): void {
  const { socket, authority, early, established } = init;
  const { host, port } = authority;
  const target = hostPort(host, port);
  const refuse = (error: SallyportError) => {
    context.eager?.hosts.forget(target);
    init.refuse(error, target);
  };
  openClientStream(context, {
    socket,
    opening: { type: "connect_request", payload: authority },
    early,
    eager: context.eager && eagerAnswer(context, init, { eager: context.eager, target }),
    answered(stream, message) {
      const error = connectError(stream, message);
      if (error !== undefined) return refuse(error);
      // A bypassed target is dialled from this machine: there is no round trip to save.
      if (!stream.isLocal) context.eager?.hosts.reached(target);
      spliceClient(context, socket, stream, established, target);
    },
    failed: refuse,
  });
}

/**
 * The `connect_request` leaves before the client is answered, and does not wait for the client's first bytes: curl's
 * ClientHello comes about 2 ms after the answer, and that of a client that lets the server speak first (ssh, SMTP) never.
 * To wait would only delay the server's dial. The bytes follow in a `connect_data` without waiting for the answer
 * (SPEC.md 4.2), and reach the server before its connection to the target is made.
 */
function eagerAnswer(
  context: FrontDoorContext,
  { socket, protocol, early: first, established }: TunnelInit,
  { eager, target }: { eager: EagerTunnels; target: string },
): EagerAnswer {
  return {
    appliesTo: (stream: MuxStream) => !stream.isLocal && eager.hosts.has(target),
    answer(stream) {
      eager.answered++;
      const tunnel = new EarlyTunnel({
        stream,
        first,
        openStream: context.openStream,
        reached: () => eager.hosts.reached(target),
        failed(error) {
          eager.failed++;
          eager.hosts.forget(target);
          context.refused({ protocol, target, error, answeredEarly: true });
        },
      });
      spliceClient(context, socket, tunnel, established, target);
    },
  };
}
