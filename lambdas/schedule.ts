import { z } from "zod";

/** The event of a rule that runs by the clock. */
const SCHEDULED_EVENT = z.object({
  source: z.literal("aws.events"),
  "detail-type": z.literal("Scheduled Event"),
});

/**
 * Makes sure that the clock calls and nobody else.
 * @throws {Error} For any other event, a request to a Function URL among them.
 */
export function requireSchedule(event: unknown): void {
  if (SCHEDULED_EVENT.safeParse(event).success) return;
  throw new Error("Cannot run: only a scheduled event of EventBridge may ask for this");
}
