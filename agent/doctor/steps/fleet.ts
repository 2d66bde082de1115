import type { FleetStatus } from "../../../shared/cloud/fleet_status.ts";
import { systemClock } from "../../../shared/system_clock.ts";
import { sleep } from "../../../shared/sleep.ts";
import { fail, type Finding, pass, skip } from "../finding.ts";
import type { Found } from "../found.ts";
import type { Step } from "../step.ts";
import type { FleetAnswer } from "../surroundings.ts";

/** Milliseconds between two questions while the server is being woken. */
const ASK_EVERY = 2_000;
/** Whoever does not want to wait ends the program. */
const NEVER = new AbortController().signal;

/** Do the functions that find and wake the server answer a signed call, and is there a server? */
export const fleet: Step = {
  name: "fleet",
  needs: ["configuration", "proxy", "certificate", "names"],
  async look(found) {
    const { config: { cloud }, options: { wake } } = found;
    if (cloud === undefined) return skip("server_ip says where the server is");
    const canLook = cloud.endpoints.query !== undefined;
    if (!wake && !canLook) return fail("asleep", "query_endpoint is not set, and to ask Wake would wake it");
    const first = await call(found, wake ? "wake" : "query");
    const answer = wake ? await untilItRuns(found, first, canLook ? "query" : "wake") : first;
    if (answer.kind !== "answered") return failed(answer);
    return judged(found, answer.status);
  },
};

/** A call ends by itself within 20 s, which a function that starts cold may take. */
function call(found: Found, action: "wake" | "query"): Promise<FleetAnswer> {
  const { config, identity, surroundings } = found;
  return surroundings.callFleet(config, identity, action, NEVER);
}

async function untilItRuns(found: Found, first: FleetAnswer, action: "wake" | "query"): Promise<FleetAnswer> {
  const { wakeTimeout } = found.config.cloud!;
  const until = systemClock.now() + wakeTimeout;
  let answer = first;
  while (answer.kind === "passing" || answer.kind === "answered" && answer.status.state !== "running") {
    if (systemClock.now() + ASK_EVERY > until) break;
    const how = answer.kind === "answered" ? `it is ${answer.status.state}` : answer.error.message;
    found.tell(`waiting for the server: ${how}`);
    await sleep(systemClock, ASK_EVERY, NEVER);
    answer = await call(found, action);
  }
  return answer;
}

function failed(answer: Exclude<FleetAnswer, { kind: "answered" }>): Finding {
  const { message } = answer.error;
  if (answer.kind === "passing") return fail(answer.isUnanswered ? "wake_unreachable" : "wake", message);
  return fail(answer.isUnaccepted ? "wake_refused" : "wake", message);
}

function judged(found: Found, { state, servers, problem }: FleetStatus): Finding {
  if (state === "running" && servers.length > 0) {
    found.servers = servers.map(({ ip, port }) => ({ host: ip, port }));
    const shown = servers.map(({ ip, port }) => `${ip}, port ${port}`).join(" and ");
    return pass(`a signed call was answered: servers run at ${shown}`);
  }
  if (problem !== undefined) return fail("wake", `the server does not start: ${problem}`);
  // Somebody wanted it long enough, and it does not come.
  if (found.options.wake) return fail("wake", `the server is ${state}, and does not come up in time`);
  const detail = `a signed call was answered: the server is ${state}`;
  return fail(state === "stopped" ? "asleep" : "starting", detail);
}
