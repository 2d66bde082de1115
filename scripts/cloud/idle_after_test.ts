import assert from "node:assert/strict";
import { parse } from "yaml";
import { idleAfterTime } from "./idle_after.ts";

const template = await Deno.readTextFile(new URL("../../lambdas/template.yaml", import.meta.url));
const { AllowedPattern } = parse(template, { logLevel: "silent" }).Parameters.IdleAfter;

/** Texts, and whether servers may sleep after that time. */
const TIMES: Readonly<Record<string, boolean>> = {
  "5m": true,
  "15m": true,
  "300s": true,
  "1000s": true,
  "1h": true,
  "4m": false,
  "0m": false,
  "299s": false,
  "30s": false,
  "0h": false,
  "900000ms": false,
  "15": false,
  "15m ": false,
};

for (const [text, isTaken] of Object.entries(TIMES)) {
  Deno.test(`deploy and template ${isTaken ? "take" : "refuse"} "${text}" as the time until servers sleep`, () => {
    assert.equal(new RegExp(`^(${AllowedPattern})$`).test(text), isTaken);
    if (isTaken) assert.equal(idleAfterTime(text), text);
    else assert.throws(() => idleAfterTime(text), /5 minutes at the least/);
  });
}
