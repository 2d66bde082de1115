import assert from "node:assert/strict";
import { SallyportError } from "../errors.ts";
import { requireSafeRuntime } from "./listen.ts";

Deno.test("requireSafeRuntime refuses a Deno that accepts peers without a certificate", () => {
  for (const version of ["2.7.14", "1.46.3", "0.1"]) {
    const refused = (error: unknown) =>
      error instanceof SallyportError && error.message.startsWith(`Cannot listen with Deno ${version}: `);
    assert.throws(() => requireSafeRuntime(version), refused);
  }
});

Deno.test("requireSafeRuntime accepts this Deno and later ones", () => {
  requireSafeRuntime();
  for (const version of ["2.8.0", "2.9.6", "2.10.0", "3.0.0-rc.1"]) requireSafeRuntime(version);
});
