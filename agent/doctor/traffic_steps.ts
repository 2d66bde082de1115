import { SallyportError } from "../../shared/errors.ts";
import type { Session } from "../../shared/mux/session/session.ts";
import { withDeadline } from "../../shared/net/deadline.ts";
import { SPEED_HOST } from "../../shared/protocol/messages.ts";
import { getThroughTunnel } from "./get_through_tunnel.ts";
import { fail, pass, type Step } from "./step.ts";

/** Round trips measured; the shortest counts. */
const PINGS = 5;
/** Bytes requested, and milliseconds after which the rest is not waited for. */
const SPEED_SAMPLE = { bytes: 8_388_608, ms: 2_000 };
/** Bytes of the page that are read, and milliseconds for them. */
const PAGE_SAMPLE = { bytes: 65_536, ms: 2_000 };

/** How fast is the path? */
export const speed: Step = {
  name: "speed",
  needs: ["session"],
  async run({ session, context, options: { timeoutMs } }) {
    try {
      const deadline = { doing: "measure the round trip", timeoutMs };
      const shortest = await withDeadline(deadline, () => roundTrip(session));
      const { text, rate } = await bandwidth(session, timeoutMs);
      const { lines, json: links } = context.linksOf(session);
      return pass([`round trip ${rounded(shortest)} ms, ${text}`, ...lines].join("; "), {
        round_trip_ms: Number(shortest.toFixed(1)),
        ...rate !== undefined && { receive_bytes_per_s: Math.round(rate) },
        links,
      });
    } catch (error) {
      return fail("broken_off", SallyportError.from(error).message);
    }
  },
};

async function roundTrip(session: Session): Promise<number> {
  let shortest = Infinity;
  for (let i = 0; i < PINGS; i++) shortest = Math.min(shortest, await session.ping());
  return shortest;
}

/** The rate in bytes a second. A server need not support this (SPEC.md 4.7); then the stream fails, and the session continues. */
async function bandwidth(session: Session, timeoutMs: number): Promise<{ text: string; rate?: number }> {
  const url = new URL(`http://${SPEED_HOST}/down?bytes=${SPEED_SAMPLE.bytes}`);
  try {
    const { status, bytes, bodyMs } = await getThroughTunnel(session, {
      url,
      timeoutMs,
      sample: SPEED_SAMPLE,
    });
    if (status !== 200) return { text: "bandwidth not measured: the server does not support it" };
    const rate = bytes * 1_000 / Math.max(bodyMs, 1);
    return { text: `about ${rounded(rate * 8 / 1e6)} Mbit/s from the server`, rate };
  } catch (error) {
    if (session.state === "closed") throw error;
    return { text: `bandwidth not measured (${SallyportError.from(error).code})` };
  }
}

function rounded(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

/** Can a page be fetched through the tunnel? */
export const page: Step = {
  name: "page",
  needs: ["session", "speed"],
  async run({ session, options: { page: url, timeoutMs } }) {
    try {
      const { status, waitedMs } = await getThroughTunnel(session, { url, timeoutMs, sample: PAGE_SAMPLE });
      return pass(`${url.host} answered ${status} after ${Math.round(waitedMs)} ms`);
    } catch (error) {
      return fail("page", SallyportError.from(error).message);
    }
  },
};
