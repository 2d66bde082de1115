import { SallyportError } from "../errors.ts";

/** The first Deno whose node:tls refuses peers without a certificate (denoland/deno#33439). */
const FIRST_SAFE = [2, 8];

/**
 * Makes sure that the runtime can tell who connects.
 *
 * @throws {SallyportError} `internal` on a Deno older than 2.8.
 */
export function requireSafeRuntime(version: string = Deno.version.deno): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [firstMajor = 0, firstMinor = 0] = FIRST_SAFE;
  if (major > firstMajor || major === firstMajor && minor >= firstMinor) return;
  const problem = `it would let in peers without a certificate, ${FIRST_SAFE.join(".")} or newer is needed`;
  throw new SallyportError("internal", `Cannot listen with Deno ${version}: ${problem}`);
}
