import { type ErrorCode, SallyportError } from "../../../shared/errors.ts";
import { dialTls } from "../../../shared/tls/dial.ts";
import { type FaultKind, faultOf } from "../../../shared/tls/fault.ts";
import { subjectOf } from "../../../shared/tls/subject.ts";
import { fail, pass } from "../finding.ts";
import type { ProblemName } from "../problems.ts";
import { reasonOf } from "../reason_of.ts";
import type { Step } from "../step.ts";

const PROBLEM_OF_FAULT: Partial<Record<FaultKind, ProblemName>> = {
  foreign: "interception",
  other_authority: "wrong_ca",
  expired: "server_dates",
  not_yet_valid: "server_dates",
  issuer_dates: "server_dates",
  name: "server_name",
};
const PROBLEM_OF_REASON: Partial<Record<ErrorCode, ProblemName>> = {
  target_refused: "refused",
  target_timeout: "silent",
  target_reset: "reset",
};

/** Does the server prove by TLS who it is? */
export const tls: Step = {
  name: "tls",
  needs: ["certificate", "server"],
  async look(found) {
    const { config: { serverName, sni }, identity, options: { timeoutMs: connectTimeoutMs } } = found;
    const address = found.server!;
    try {
      const via = found.via(address);
      const { socket, peer } = await dialTls({
        ...address,
        serverName,
        sni,
        identity,
        connectTimeoutMs,
        via,
      });
      found.socket = socket;
      return pass(`${subjectOf(peer.chain[0]!)} proved itself with ${socket.getProtocol()}`);
    } catch (reason) {
      const error = SallyportError.from(reason);
      return fail(problemOf(error), error.message);
    }
  },
};

function problemOf(error: SallyportError): ProblemName {
  if (error.code !== "peer_rejected") return PROBLEM_OF_REASON[reasonOf(error)] ?? "not_tls";
  const fault = faultOf(error);
  return (fault && PROBLEM_OF_FAULT[fault.kind]) ?? "server_certificate";
}
