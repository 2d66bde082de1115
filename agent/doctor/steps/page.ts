import { SallyportError } from "../../../shared/errors.ts";
import { fail, pass } from "../finding.ts";
import { getThroughTunnel } from "../get_through_tunnel.ts";
import type { Step } from "../step.ts";

/** Bytes of it that are read, and milliseconds for them. */
const ENOUGH = { bytes: 65_536, ms: 2_000 };

/** Does a page come through the tunnel? */
export const page: Step = {
  name: "page",
  needs: ["session", "speed"],
  async look({ session, options: { page: url, timeoutMs } }) {
    try {
      const { status, waitedMs } = await getThroughTunnel(session, { url, timeoutMs, enough: ENOUGH });
      return pass(`${url.host} answers ${status} after ${Math.round(waitedMs)} ms`);
    } catch (error) {
      return fail("page", SallyportError.from(error).message);
    }
  },
};
