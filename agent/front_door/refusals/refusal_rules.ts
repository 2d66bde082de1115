import type { ErrorCode } from "../../../shared/errors.ts";

/** The HTTP response to an error code. */
export interface RefusalRule {
  status: number;
  /** Error type of RFC 9209 section 2.3. */
  type: string;
  /** Where the error occurred. */
  where: "agent" | "tunnel" | "server" | "target";
  /** What failed, as part of a sentence. */
  what: string;
  /** What the user can do; backticks mark code, `{doctor}` stands for the command line of doctor. */
  advice: string;
}

const UPDATE = "Run the same version of Sallyport on both ends; if they are the same, report a bug";
const PROTOCOL_ERROR = "the agent or the server violated the tunnel's protocol";

/** The HTTP response to each error code. */
export const REFUSAL_RULES: Readonly<Record<ErrorCode, RefusalRule>> = {
  dns_error: {
    status: 502,
    type: "dns_error",
    where: "server",
    what: "the name does not resolve",
    advice: "Check the spelling; the server resolves the name, not this machine",
  },
  dns_timeout: {
    status: 504,
    type: "dns_timeout",
    where: "server",
    what: "the DNS resolver did not answer in time",
    advice: "Try again; if it persists, check the server's DNS resolver",
  },
  target_refused: {
    status: 502,
    type: "connection_refused",
    where: "target",
    what: "the target refused the connection",
    advice: "Check the port, and that a service is listening on it",
  },
  target_unreachable: {
    status: 502,
    type: "destination_ip_unroutable",
    where: "target",
    what: "there is no route to the target",
    advice: "Check that the server can reach that network, and has IPv6 if the target has no IPv4 address",
  },
  target_timeout: {
    status: 504,
    type: "connection_timeout",
    where: "target",
    what: "the target did not answer in time",
    advice: "Try again; a firewall on the path may be dropping packets",
  },
  target_denied: {
    status: 403,
    type: "destination_ip_prohibited",
    where: "server",
    what: "the server's rules do not allow this target for this client",
    advice:
      "Private addresses are refused unless targets.allow on the server lists them; clients.allow on the server " +
      "lists which clients are served and which targets they may reach",
  },
  target_reset: {
    status: 502,
    type: "connection_terminated",
    where: "target",
    what: "the target closed the connection unexpectedly",
    advice: "Try again; if it persists, check the target's own log",
  },
  target_protocol: {
    status: 502,
    type: "http_protocol_error",
    where: "target",
    what: "the target's response is not valid HTTP",
    advice: "Check that the port serves plain HTTP, not TLS or another protocol",
  },
  bad_request: {
    status: 400,
    type: "http_request_error",
    where: "agent",
    what: "the request cannot be forwarded as it is",
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
    what: "the connection was idle for too long",
    advice: "Try again; raise idle_timeout on the server if the target needs longer",
  },
  limit_reached: {
    status: 503,
    type: "connection_limit_reached",
    where: "tunnel",
    what: "too many streams, connections or files are open, or too much memory is in use",
    advice:
      "Try again later, or raise max_streams or max_connections on the server, or the open file limit (ulimit -n) of " +
      "the program named in the details",
  },
  going_away: {
    status: 503,
    type: "destination_unavailable",
    where: "tunnel",
    what: "the agent or the server is shutting down",
    advice: "Try again; the agent reconnects when the server is back",
  },
  tunnel_down: {
    status: 503,
    type: "destination_unavailable",
    where: "tunnel",
    what: "the agent is not connected to the server",
    advice: "Run `{doctor}` to find the cause, or check the agent's log",
  },
  session_unknown: {
    status: 503,
    type: "destination_unavailable",
    where: "tunnel",
    what: "the server does not know the agent's session any more",
    advice: "Try again; the agent opens a new session",
  },
  peer_rejected: {
    status: 502,
    type: "tls_certificate_error",
    where: "tunnel",
    what: "the certificate of the agent or the server was not accepted",
    advice:
      "Check that both certificates are from the same CA, in date and not revoked, that server_name in the agent's " +
      "configuration is a name in the server's certificate, and that clients.allow on the server, if it has " +
      "entries, lists this client",
  },
  version_unsupported: {
    status: 502,
    type: "proxy_configuration_error",
    where: "tunnel",
    what: "agent and server use different protocol versions",
    advice: UPDATE,
  },
  protocol_violation: {
    status: 502,
    type: "proxy_internal_error",
    where: "tunnel",
    what: PROTOCOL_ERROR,
    advice: UPDATE,
  },
  flow_control_violation: {
    status: 502,
    type: "proxy_internal_error",
    where: "tunnel",
    what: PROTOCOL_ERROR,
    advice: UPDATE,
  },
  frame_too_large: {
    status: 502,
    type: "proxy_internal_error",
    where: "tunnel",
    what: PROTOCOL_ERROR,
    advice: UPDATE,
  },
  internal: {
    status: 500,
    type: "proxy_internal_error",
    where: "agent",
    what: "Sallyport had an internal error",
    advice: "Check the logs of agent and server, and report a bug",
  },
};

/** What differs for errors that occurred in the agent, which serves the hosts in `bypass` itself. */
export const LOCAL_REFUSAL_RULES: Readonly<Partial<Record<ErrorCode, Partial<RefusalRule>>>> = {
  dns_error: {
    where: "agent",
    advice: "Check the spelling; this host is in bypass, so this machine resolves its name",
  },
  dns_timeout: {
    where: "agent",
    what: "this machine's DNS resolver did not answer in time",
    advice: "Try again; if it persists, check this machine's DNS servers",
  },
  target_refused: {
    what: "the target, which bypass connects to directly, refused the connection",
  },
  target_unreachable: {
    what: "this machine has no route to the target, which bypass connects to directly",
    advice:
      "Check that this machine can reach that network; without its entry in bypass, the target is reached through the tunnel",
  },
  target_timeout: {
    what: "the target, which bypass connects to directly, did not answer in time",
    advice: "Try again; a firewall may block direct connections",
  },
  target_denied: {
    where: "agent",
    what: "the agent's configuration blocks this target",
    advice: "The details name the entry in block; the agent's own ports are always blocked",
  },
  target_reset: {
    what: "the target, which bypass connects to directly, closed the connection unexpectedly",
  },
  idle_timeout: {
    where: "agent",
    advice: "Try again; direct connections are closed after 10 idle minutes",
  },
  limit_reached: {
    where: "agent",
    advice:
      "Try again later; the details name what is full: for files, raise the agent's open file limit (ulimit -n)",
  },
  going_away: {
    where: "agent",
    what: "the agent is shutting down",
    advice: "Try again when the agent is running again",
  },
  cancelled: { where: "agent" },
  protocol_violation: { where: "agent", what: "Sallyport had an internal error" },
};
