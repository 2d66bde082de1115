/**
 * Checks whether a program that a test needs is installed.
 *
 * @returns Why the test must be skipped, or `undefined` when the program is installed.
 */
export async function whyMissing(program: string, versionFlag = "--version"): Promise<string | undefined> {
  try {
    await new Deno.Command(program, { args: [versionFlag], stdin: "null" }).output();
    return undefined;
  } catch (error) {
    // A program that cannot be found is not among those that the test runner may start either.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) {
      return `no ${program} on this machine`;
    }
    throw error;
  }
}
