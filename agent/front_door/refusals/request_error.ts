import { SallyportError } from "../../../shared/errors.ts";
import type { RefusalRule } from "./refusal_rules.ts";

/** How the response to a {@linkcode RequestError} differs from that to other bad requests. */
export type RequestErrorRule = Pick<RefusalRule, "status"> & Partial<RefusalRule>;

/**
 * Why a client's request cannot be served as it was written, with the status for the response. Nothing was done for
 * such a request, and it may be unclear where it ends.
 */
export class RequestError extends SallyportError {
  constructor(message: string, readonly rule: RequestErrorRule = { status: 400 }) {
    super("bad_request", message);
  }

  /** Whether the connection closes after the response. A client that only lacks credentials may try again. */
  get closes(): boolean {
    return this.rule.status !== 407;
  }
}
