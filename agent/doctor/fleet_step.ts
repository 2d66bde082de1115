import type { FleetStatus } from "../../shared/cloud/fleet_status.ts";
import { sleep } from "../../shared/net/deadline.ts";
import { systemClock } from "../../shared/system_clock.ts";
import type { FleetAnswer } from "./context.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { fail, type Finding, pass, skip, type Step } from "./step.ts";

/** Milliseconds between two calls while the server wakes. */
const POLL_INTERVAL = 2_000;
/** Ctrl-C ends the program. */
const NEVER = new AbortController().signal;

/** Do the functions that find and wake the server answer a signed call, and does a server run? */
export const fleet: Step = {
  name: "fleet",
  needs: ["configuration", "proxy", "certificate", "names"],
  async run(diagnosis) {
    const { config: { cloud }, options: { wake } } = diagnosis;
    if (cloud === undefined) return skip("server_ip sets the server's address");
    const canQuery = cloud.endpoints.query !== undefined;
    if (!wake && !canQuery) {
      return fail("asleep", "query_endpoint is not set, and wake_endpoint would wake it");
    }
    const first = await call(diagnosis, wake ? "wake" : "query");
    const answer = wake ? await waitUntilRunning(diagnosis, first, canQuery ? "query" : "wake") : first;
    if (answer.kind !== "answered") return callProblem(answer);
    return fleetFinding(diagnosis, answer.status);
  },
};

/** A call ends within 20 s, which a function may need after a cold start. */
function call(diagnosis: Diagnosis, action: "wake" | "query"): Promise<FleetAnswer> {
  const { config, identity, context } = diagnosis;
  return context.callFleet(config, identity, action, NEVER);
}

async function waitUntilRunning(
  diagnosis: Diagnosis,
  first: FleetAnswer,
  action: "wake" | "query",
): Promise<FleetAnswer> {
  const { wakeTimeout } = diagnosis.config.cloud!;
  const deadline = systemClock.now() + wakeTimeout;
  let answer = first;
  while (answer.kind === "retryable" || answer.kind === "answered" && answer.status.state !== "running") {
    if (systemClock.now() + POLL_INTERVAL > deadline) break;
    const state = answer.kind === "answered" ? `state ${answer.status.state}` : answer.error.message;
    diagnosis.progress(`waiting for the server: ${state}`);
    await sleep(systemClock, POLL_INTERVAL, NEVER);
    answer = await call(diagnosis, action);
  }
  return answer;
}

function callProblem(answer: Exclude<FleetAnswer, { kind: "answered" }>): Finding {
  const { message } = answer.error;
  if (answer.kind === "retryable") return fail(answer.isUnreachable ? "wake_unreachable" : "wake", message);
  return fail(answer.isUnauthorized ? "wake_refused" : "wake", message);
}

function fleetFinding(diagnosis: Diagnosis, { state, servers, problem }: FleetStatus): Finding {
  if (state === "running" && servers.length > 0) {
    diagnosis.servers = servers.map(({ ip, port }) => ({ host: ip, port }));
    const shown = servers.map(({ ip, port }) => `${ip}, port ${port}`).join(" and ");
    return pass(`signed call answered: servers run at ${shown}`);
  }
  if (problem !== undefined) return fail("wake", `the server does not start: ${problem}`);
  // It was woken, and did not start within wake_timeout.
  if (diagnosis.options.wake) return fail("wake", `the server did not start in time: its state is ${state}`);
  const detail = `signed call answered: the server is ${state}`;
  return fail(state === "stopped" ? "asleep" : "starting", detail);
}
