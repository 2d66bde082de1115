import type { Finding } from "./finding.ts";
import type { Found } from "./found.ts";
import type { ProblemName } from "./problems.ts";

/** One look at one thing that the tunnel needs. */
export interface Step {
  /** For people and programs. */
  readonly name: string;
  /** Names of the steps without which this cannot be looked at. */
  readonly needs: readonly string[];
  /**
   * Problems of later steps that a failure of this one explains; such a failure alone stands in nobody's way.
   *
   * @default {undefined: its failure stands in the way, and explains itself}
   */
  readonly explains?: readonly ProblemName[];
  /** Looks, and leaves what later steps need in `found`. What it throws is its failure too. */
  look(found: Found): Promise<Finding>;
}
