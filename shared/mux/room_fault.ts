import { SallyportError } from "../errors.ts";

/** What the peer is told of a fault of this end's own; the rest is for our log. */
export const FAULT_MESSAGE = "a fault of this end";

/**
 * What a room's callback threw, as the `internal` error that it is: whatever the code of the exception, nobody
 * knows what the room missed.
 *
 * @param of What the callback belongs to.
 */
export function roomFault(of: string, reason: unknown): SallyportError {
  const { message } = SallyportError.from(reason);
  return new SallyportError("internal", `Cannot go on with ${of}: its callback failed: ${message}`, {
    cause: reason,
  });
}
