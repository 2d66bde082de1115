import { SallyportError } from "../../../shared/errors.ts";
import { fail, pass } from "../finding.ts";
import type { Step } from "../step.ts";

/** Does the server accept the agent? */
export const session: Step = {
  name: "session",
  needs: ["tls"],
  async look(found) {
    try {
      const late = AbortSignal.timeout(found.options.timeoutMs);
      found.session = await found.surroundings.openSession(found.socket, late);
      return pass("the server accepts the agent's certificate");
    } catch (reason) {
      const error = SallyportError.from(reason);
      // A server that does not let somebody in says nothing; one that says something has let in.
      return fail(error.code === "tunnel_down" ? "not_accepted" : "turned_away", error.message);
    }
  },
};
