import type { ErrorCode } from "../../shared/errors.ts";

/** How one error code is told to HTTP clients. */
export interface RefusalRule {
  status: number;
  /** Error type of RFC 9209 section 2.3. */
  type: string;
  /** Who met the failure. */
  where: "agent" | "tunnel" | "server" | "target";
  /** What failed, for a person. */
  what: string;
  /** What that person can do. */
  advice: string;
}

const CHECK_TUNNEL =
  "Run `agent doctor`: it finds what stands in the way; the agent's log has the reason too";
const UPDATE = "Run the same version of Sallyport on both ends; if that is so, report this as a fault";

/** How each error code is told to HTTP clients. */
export const REFUSAL_RULES: Readonly<Record<ErrorCode, RefusalRule>> = {
  dns_error: {
    status: 502,
    type: "dns_error",
    where: "server",
    what: "the name does not resolve",
    advice: "Check the spelling; the name is looked up by the server, not by this machine",
  },
  dns_timeout: {
    status: 504,
    type: "dns_timeout",
    where: "server",
    what: "the resolver did not answer in time",
    advice: "Try again; if it goes on, check the server's resolver",
  },
  target_refused: {
    status: 502,
    type: "connection_refused",
    where: "target",
    what: "the target refused the connection",
    advice: "Check the port, and that something listens there",
  },
  target_unreachable: {
    status: 502,
    type: "destination_ip_unroutable",
    where: "target",
    what: "there is no route to the target",
    advice: "Check that the server can reach that network, and IPv6 where the target has no IPv4",
  },
  target_timeout: {
    status: 504,
    type: "connection_timeout",
    where: "target",
    what: "the target did not answer in time",
    advice: "Try again; a firewall on the way may drop packets without a word",
  },
  target_denied: {
    status: 403,
    type: "destination_ip_prohibited",
    where: "server",
    what: "the server's rules forbid this target, or forbid it to this client",
    advice:
      "Private addresses are refused unless targets.allow on the server names them; clients.allow there " +
      "says which clients are served, and where they may go",
  },
  target_reset: {
    status: 502,
    type: "connection_terminated",
    where: "target",
    what: "the target broke the connection off",
    advice: "Try again; if it goes on, the target itself is in trouble",
  },
  target_protocol: {
    status: 502,
    type: "http_protocol_error",
    where: "target",
    what: "the target's answer is not valid HTTP",
    advice: "Check that the port speaks plain HTTP and not TLS or something else",
  },
  bad_request: {
    status: 400,
    type: "http_request_error",
    where: "agent",
    what: "the request cannot be passed on as it is",
    advice: "Correct the request",
  },
  cancelled: {
    status: 502,
    type: "connection_terminated",
    where: "tunnel",
    what: "the request was cancelled",
    advice: "Try again",
  },
  idle_timeout: {
    status: 504,
    type: "connection_read_timeout",
    where: "server",
    what: "no byte came for too long",
    advice: "Try again; raise idle_timeout on the server if the target needs longer",
  },
  limit_reached: {
    status: 503,
    type: "connection_limit_reached",
    where: "tunnel",
    what: "too many streams, connections or files are open, or too much memory is in use",
    advice:
      "Try again later, or raise max_streams or max_connections on the server, or the limit of open files (ulimit -n) of the program that the details name",
  },
  going_away: {
    status: 503,
    type: "destination_unavailable",
    where: "tunnel",
    what: "an end of the tunnel is shutting down",
    advice: "Try again: the agent connects anew when the server is back",
  },
  tunnel_down: {
    status: 503,
    type: "destination_unavailable",
    where: "tunnel",
    what: "the connection between agent and server is lost or cannot be made",
    advice: CHECK_TUNNEL,
  },
  peer_rejected: {
    status: 502,
    type: "tls_certificate_error",
    where: "tunnel",
    what: "the certificate of the agent or of the server was not accepted",
    advice:
      "Check that both certificates are of the same CA, in date and not revoked, and that clients.allow on the server, " +
      "if it has entries, names this client",
  },
  version_unsupported: {
    status: 502,
    type: "proxy_configuration_error",
    where: "tunnel",
    what: "agent and server speak different versions",
    advice: UPDATE,
  },
  protocol_violation: {
    status: 502,
    type: "proxy_internal_error",
    where: "tunnel",
    what: "agent and server misunderstood each other",
    advice: UPDATE,
  },
  flow_control_violation: {
    status: 502,
    type: "proxy_internal_error",
    where: "tunnel",
    what: "agent and server misunderstood each other",
    advice: UPDATE,
  },
  frame_too_large: {
    status: 502,
    type: "proxy_internal_error",
    where: "tunnel",
    what: "agent and server misunderstood each other",
    advice: UPDATE,
  },
  internal: {
    status: 500,
    type: "proxy_internal_error",
    where: "agent",
    what: "Sallyport itself failed",
    advice: "Look at the logs of agent and server, and report this as a fault",
  },
};
