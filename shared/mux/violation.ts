import { SallyportError } from "../errors.ts";

/** The `protocol_violation` that a message of the peer is; it ends the connection (SPEC.md 4.4). */
export function violation(problem: string): SallyportError {
  return new SallyportError("protocol_violation", `Cannot accept message: ${problem}`);
}
