import type { Finding } from "./finding.ts";
import type { Found } from "./found.ts";

/** One look at one thing that the tunnel needs. */
export interface Step {
  /** For people and programs. */
  readonly name: string;
  /** Names of the steps without which this cannot be looked at. */
  readonly needs: readonly string[];
  /** Whether a failure stands in nobody's way by itself, and only explains others. @default false */
  readonly isAdvisory?: boolean;
  /** Looks, and leaves what later steps need in `found`. What it throws is a fault of the examination. */
  look(found: Found): Promise<Finding>;
}
