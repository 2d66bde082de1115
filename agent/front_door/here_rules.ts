import type { ErrorCode } from "../../shared/errors.ts";
import type { RefusalRule } from "./refusal_rules.ts";

/** How error codes are told when it was not the server that met them but the agent, which serves some hosts itself. */
export const HERE_RULES: Readonly<Partial<Record<ErrorCode, Partial<RefusalRule>>>> = {
  dns_error: {
    where: "agent",
    advice: "Check the spelling; bypass sends this host past the tunnel, so that this machine looks it up",
  },
  dns_timeout: {
    where: "agent",
    what: "this machine's resolver did not answer in time",
    advice: "Try again; if it goes on, check this machine's name servers",
  },
  target_refused: {
    what: "the target, which bypass sends directly, refused the connection",
  },
  target_unreachable: {
    what: "this machine has no route to the target, which bypass sends directly",
    advice:
      "Check that this machine can reach that network; without its entry in bypass it goes through the tunnel",
  },
  target_timeout: {
    what: "the target, which bypass sends directly, did not answer in time",
    advice: "Try again; a firewall may stop what does not go through the tunnel",
  },
  target_denied: {
    where: "agent",
    what: "the agent's configuration forbids this target",
    advice: "The details name the entry of block; the agent's own ports are always refused",
  },
  target_reset: {
    what: "the target, which bypass sends directly, broke the connection off",
  },
  idle_timeout: {
    where: "agent",
    advice: "Try again; a host that bypass sends directly may be silent for 10 minutes",
  },
  limit_reached: {
    where: "agent",
    advice: "Try again later; the details name what is full: for files, raise the agent's limit (ulimit -n)",
  },
  going_away: {
    where: "agent",
    what: "the agent is shutting down",
    advice: "Try again when the agent runs again",
  },
  cancelled: { where: "agent" },
  protocol_violation: { where: "agent", what: "Sallyport itself failed" },
};
