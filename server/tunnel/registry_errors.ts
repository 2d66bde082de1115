import { SallyportError } from "../../shared/errors.ts";
import { MAX_LINKS } from "../../shared/protocol/messages.ts";

/** Why a connection is refused: there are too many. @param max `max_connections` */
export function noRoom(max: number): SallyportError {
  const message = `Cannot accept the agent: all connections are taken (max_connections is ${max})`;
  return new SallyportError("limit_reached", message);
}

/** Why a connection is evicted for another one. @param max `max_connections` */
export function hasMost(max: number): SallyportError {
  const reason = `all connections are taken (max_connections is ${max}), and this certificate has the most`;
  return new SallyportError("limit_reached", `Cannot keep the connection: ${reason}`);
}

/** Why a connection is refused: its session has enough (SPEC.md 3.9). */
export function tooManyLinks(): SallyportError {
  const message = `Cannot add a connection: the session has ${MAX_LINKS}`;
  return new SallyportError("limit_reached", message);
}

/** Why a silent connection gives way to a new one of its session. */
export function replaced(): SallyportError {
  return new SallyportError(
    "tunnel_down",
    "Cannot keep the connection: it is silent, and a new one replaces it",
  );
}

/** Why a connection is closed before its `hello`: too many have sent none. */
export function tooManyPending(): SallyportError {
  return new SallyportError(
    "limit_reached",
    "Cannot wait for the hello: too many connections have sent none",
  );
}

/** Why a session ends that waits for a connection. */
export function tooManyWait(): SallyportError {
  return new SallyportError("limit_reached", "Cannot wait for a connection: too many sessions do");
}

/** Why a connection is refused, or a session ends, when the server has stopped. */
export function shutDown(): SallyportError {
  return new SallyportError("going_away", "Cannot accept the agent: the server shut down");
}
