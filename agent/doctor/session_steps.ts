import { type ErrorCode, SallyportError } from "../../shared/errors.ts";
import { type CertificateProblemKind, certificateProblemOf } from "../../shared/pki/certificate_problem.ts";
import { subjectOf } from "../../shared/pki/x509/names.ts";
import { dialTls } from "../../shared/tls/dial.ts";
import { routeThrough } from "../upstream/proxy_tunnel.ts";
import { pathProblem } from "./path.ts";
import type { ProblemName } from "./problems.ts";
import { fail, pass, type ProblemFinding, type Step } from "./step.ts";

const CERTIFICATE_PROBLEMS: Readonly<Partial<Record<CertificateProblemKind, ProblemName>>> = {
  foreign: "interception",
  other_authority: "wrong_ca",
  expired: "server_dates",
  not_yet_valid: "server_dates",
  issuer_dates: "server_dates",
  name: "server_name",
  revoked: "server_revoked",
};

/** Does the server present an acceptable certificate over TLS? */
export const tls: Step = {
  name: "tls",
  needs: ["certificate", "server"],
  async run(diagnosis) {
    const { config: { serverName, sni }, identity, server, options } = diagnosis;
    const { address, connection } = server;
    try {
      const via = routeThrough(diagnosis.via(address));
      const how = { serverName, sni, identity, connectTimeoutMs: options.timeoutMs, via, connection };
      const { socket, peer } = await dialTls({ ...address, ...how });
      diagnosis.socket = socket;
      return pass(`${subjectOf(peer.chain[0]!)}, verified over ${socket.getProtocol()}`);
    } catch (error) {
      return tlsProblem(SallyportError.from(error));
    }
  },
};

function tlsProblem(error: SallyportError): ProblemFinding {
  const problem = certificateProblemOf(error);
  if (problem !== undefined) {
    const name = CERTIFICATE_PROBLEMS[problem.kind] ?? "server_certificate";
    return fail(name, error.message, problem.validity);
  }
  // The server's certificate was fine, so the server refused the agent's.
  return fail(error.code === "peer_rejected" ? "not_accepted" : pathProblem(error, "not_tls"), error.message);
}

/** By the code that a session ends with before it opens; a server gives strangers no reason. */
const SESSION_PROBLEMS: Readonly<Partial<Record<ErrorCode, ProblemName>>> = {
  tunnel_down: "not_accepted",
  peer_rejected: "not_accepted",
  // What arrived was not a frame.
  protocol_violation: "not_tls",
  frame_too_large: "not_tls",
};

/** Does the server accept the agent? */
export const session: Step = {
  name: "session",
  needs: ["tls"],
  async run(diagnosis) {
    const { socket, context, options: { timeoutMs } } = diagnosis;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      diagnosis.session = await context.openSession(socket, timeout);
      return pass("the server accepts the agent's certificate");
    } catch (reason) {
      if (timeout.aborted) return fail("silent", `no hello from the server in ${timeoutMs} ms`);
      const { code, message } = SallyportError.from(reason);
      return fail(SESSION_PROBLEMS[code] ?? "turned_away", message);
    }
  },
};
