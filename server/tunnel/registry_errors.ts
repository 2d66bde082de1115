import { SallyportError } from "../../shared/errors.ts";

/** Why a connection is refused: there are too many. @param max `max_connections` */
export function noRoom(max: number | undefined): SallyportError {
  const message = `Cannot accept the agent: all connections are taken (max_connections is ${max})`;
  return new SallyportError("limit_reached", message);
}

/** Why a connection is evicted for one of another certificate. @param max `max_connections` */
export function hasMost(max: number): SallyportError {
  const reason = `all connections are taken (max_connections is ${max}), and this certificate has the most`;
  return new SallyportError("limit_reached", `Cannot keep the connection: ${reason}`);
}

/** Why a session ends that waits for a connection. */
export function tooManyWait(): SallyportError {
  return new SallyportError("limit_reached", "Cannot wait for a connection: too many sessions do");
}

/** Why a connection is refused, or a session ends, when the server has stopped. */
export function shutDown(): SallyportError {
  return new SallyportError("going_away", "Cannot accept the agent: the server shut down");
}
