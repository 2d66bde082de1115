/**
 * One measurement: prints its figures, or the error that it met, as a line of JSON.
 *
 * Arguments: JSON of `Route` and of `LoadOptions`.
 */
import { terminal } from "../../../shared/cli/terminal.ts";
import { runLoad } from "../load/loads.ts";

const [route, options] = Deno.args.map((text) => JSON.parse(text));
const result = await runLoad(route, options).then(
  (figures) => ({ figures }),
  (error) => ({ error: (error as Error).message }),
);
terminal.out(`${JSON.stringify(result)}\n`);
