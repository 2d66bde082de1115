import { SallyportError } from "../../shared/errors.ts";
import type { RefusalRule } from "./refusal_rules.ts";

/** How a {@linkcode RequestError} is told, where that differs from other bad requests. */
export type RequestRule = Pick<RefusalRule, "status"> & Partial<RefusalRule>;

/**
 * Why a client's request cannot be served as it was written, with the status that says so. Nothing was done for
 * such a request, and where its end is may be in doubt.
 */
export class RequestError extends SallyportError {
  constructor(message: string, readonly rule: RequestRule = { status: 400 }) {
    super("bad_request", message);
  }

  /** Whether the connection closes with the answer. One that only lacks credentials may try again. */
  get closes(): boolean {
    return this.rule.status !== 407;
  }
}
