import { type ErrorCode, SallyportError } from "../../../shared/errors.ts";
import { fail, pass } from "../finding.ts";
import type { ProblemName } from "../problems.ts";
import type { Step } from "../step.ts";

/** What a session that does not begin ends with; a server that does not let somebody in says nothing. */
const PROBLEM_OF: Readonly<Partial<Record<ErrorCode, ProblemName>>> = {
  tunnel_down: "not_accepted",
  peer_rejected: "not_accepted",
  // What came was no frame.
  protocol_violation: "not_tls",
  frame_too_large: "not_tls",
};

/** Does the server accept the agent? */
export const session: Step = {
  name: "session",
  needs: ["tls"],
  async look(found) {
    const { socket, surroundings, options: { timeoutMs } } = found;
    const late = AbortSignal.timeout(timeoutMs);
    try {
      found.session = await surroundings.openSession(socket, late);
      return pass("the server accepts the agent's certificate");
    } catch (reason) {
      if (late.aborted) return fail("silent", `no hello of the server came in ${timeoutMs} ms`);
      const { code, message } = SallyportError.from(reason);
      return fail(PROBLEM_OF[code] ?? "turned_away", message);
    }
  },
};
