import { SallyportError } from "../../../shared/errors.ts";
import { dialTls } from "../../../shared/tls/dial.ts";
import { type FaultKind, faultOf } from "../../../shared/tls/fault.ts";
import { subjectOf } from "../../../shared/tls/subject.ts";
import { fail, type Failure, pass } from "../finding.ts";
import { pathProblem } from "../path_failure.ts";
import type { ProblemName } from "../problems.ts";
import type { Step } from "../step.ts";

const PROBLEM_OF: Readonly<Partial<Record<FaultKind, ProblemName>>> = {
  foreign: "interception",
  other_authority: "wrong_ca",
  expired: "server_dates",
  not_yet_valid: "server_dates",
  issuer_dates: "server_dates",
  name: "server_name",
  revoked: "server_revoked",
};

/** Does the server prove by TLS who it is? */
export const tls: Step = {
  name: "tls",
  needs: ["certificate", "server"],
  async look(found) {
    const { config: { serverName, sni }, identity, server, options: { timeoutMs: connectTimeoutMs } } = found;
    const { address, connection } = server;
    try {
      const via = found.via(address);
      const how = { serverName, sni, identity, connectTimeoutMs, via, connection };
      const { socket, peer } = await dialTls({ ...address, ...how });
      found.socket = socket;
      return pass(`${subjectOf(peer.chain[0]!)} proved itself with ${socket.getProtocol()}`);
    } catch (error) {
      return failure(SallyportError.from(error));
    }
  },
};

function failure(error: SallyportError): Failure {
  const fault = faultOf(error);
  if (fault !== undefined) {
    return fail(PROBLEM_OF[fault.kind] ?? "server_certificate", error.message, fault.validity);
  }
  // Without a fault of its certificate it is the other end that did not like what it was shown.
  return fail(error.code === "peer_rejected" ? "not_accepted" : pathProblem(error, "not_tls"), error.message);
}
