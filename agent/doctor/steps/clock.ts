import { fail, pass, skip } from "../finding.ts";
import type { Step } from "../step.ts";

/** Milliseconds that are no trouble. */
const TOLERANCE = 30_000;

/** Is this machine's clock right? A tunnel may do with a wrong one, so that it only explains other failures. */
export const clock: Step = {
  name: "clock",
  needs: ["configuration"],
  isAdvisory: true,
  look({ clockAhead }) {
    const finding = clockAhead === undefined
      ? skip("nobody told the time")
      : Math.abs(clockAhead) <= TOLERANCE
      ? pass("this machine's clock is right within 30 s")
      : fail("clock", `this machine's clock is ${shown(clockAhead)} that of the control site`);
    return Promise.resolve(finding);
  },
};

function shown(ahead: number): string {
  const seconds = Math.round(Math.abs(ahead) / 1_000);
  const [count, unit] = seconds < 120
    ? [seconds, "seconds"]
    : seconds < 7_200
    ? [Math.round(seconds / 60), "minutes"]
    : seconds < 172_800
    ? [Math.round(seconds / 3_600), "hours"]
    : [Math.round(seconds / 86_400), "days"];
  return `${count} ${unit} ${ahead > 0 ? "ahead of" : "behind"}`;
}
