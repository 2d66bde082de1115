import { SallyportError } from "../../../shared/errors.ts";
import type { Session } from "../../../shared/mux/session.ts";
import { SPEED_HOST } from "../../../shared/protocol/speed_target.ts";
import { fail, pass } from "../finding.ts";
import { getThroughTunnel } from "../get_through_tunnel.ts";
import { inTime } from "../in_time.ts";
import type { Step } from "../step.ts";

/** Round trips; the shortest counts. */
const PINGS = 5;
/** Bytes that are asked for, and milliseconds after which what came has to do. */
const ENOUGH = { bytes: 8_388_608, ms: 2_000 };

/** How fast is the path? */
export const speed: Step = {
  name: "speed",
  needs: ["session"],
  async look({ session, options: { timeoutMs } }) {
    try {
      const late = () =>
        new SallyportError("tunnel_down", `Cannot measure a round trip: no answer in ${timeoutMs} ms`);
      const best = rounded(await inTime(roundTrip(session), timeoutMs, late));
      return pass(`a round trip takes ${best} ms, ${await bandwidth(session, timeoutMs)}`);
    } catch (error) {
      return fail("broken_off", SallyportError.from(error).message);
    }
  },
};

async function roundTrip(session: Session): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < PINGS; i++) best = Math.min(best, await session.ping());
  return best;
}

/** A server need not know how to help (SPEC.md 4.7); then the stream fails, and the session goes on. */
async function bandwidth(session: Session, timeoutMs: number): Promise<string> {
  const url = new URL(`http://${SPEED_HOST}/down?bytes=${ENOUGH.bytes}`);
  try {
    const { status, bytes, bodyMs } = await getThroughTunnel(session, { url, timeoutMs, enough: ENOUGH });
    if (status !== 200) return "and the server does not help to measure more";
    return `and about ${rounded(bytes * 8 / 1_000 / Math.max(bodyMs, 1))} Mbit/s come from the server`;
  } catch (error) {
    if (session.state === "closed") throw error;
    return `and more could not be measured (${SallyportError.from(error).code})`;
  }
}

function rounded(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}
