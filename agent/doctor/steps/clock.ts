import { fail, pass, skip } from "../finding.ts";
import type { Step } from "../step.ts";

/** Milliseconds that are no trouble; what is signed for the cloud is good for a minute. */
const TOLERANCE = 30_000;

/** Is this machine's clock right? */
export const clock: Step = {
  name: "clock",
  needs: ["configuration"],
  explains: ["certificate_dates", "server_dates", "wake_refused"],
  look({ clockAhead }) {
    return Promise.resolve(
      clockAhead === undefined
        ? skip("nobody told the time")
        : Math.abs(clockAhead) <= TOLERANCE
        ? pass("this machine's clock is right within 30 s")
        : fail("clock", `it is ${shown(clockAhead)} what ${"the control site"} says`),
    );
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
