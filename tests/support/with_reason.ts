import assert from "node:assert/strict";
import { type ErrorCode, SallyportError } from "../../shared/errors.ts";

/** Returns a check for `assert.rejects` that an error has this code and a matching message. */
export function withReason(code: ErrorCode, message: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof SallyportError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}
