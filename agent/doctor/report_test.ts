import assert from "node:assert/strict";
import { conclusionText } from "./report.ts";

const report = (step: string, problem: "page" | "refused") => ({
  steps: [],
  cause: { step, problem },
  exitCode: 70,
});

Deno.test("the conclusion does not blame the tunnel for a test page", () => {
  assert.equal(
    conclusionText(report("page", "page")),
    "\nThe tunnel works, but not for the test page. Cause: page (page, exit code 70).\n",
  );
  assert.match(conclusionText(report("server", "refused")), /^\nThe tunnel does not work\. Cause: server /);
});
