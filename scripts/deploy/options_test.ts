import assert from "node:assert/strict";
import { parse } from "yaml";
import { idleAfterTime, installationName } from "./options.ts";

interface NameParameter {
  readonly AllowedPattern: string;
  readonly MinLength: number;
  readonly MaxLength: number;
}

const rules: NameParameter[] = await Promise.all(["template.yaml", "bootstrap.yaml"].map(async (file) => {
  const text = await Deno.readTextFile(new URL(`../../lambdas/${file}`, import.meta.url));
  return parse(text, { logLevel: "silent" }).Parameters.Name;
}));

/** Names, and whether they are valid for an installation. */
const NAMES: Readonly<Record<string, boolean>> = {
  "sallyport": true,
  "my-tunnel-2": true,
  "a1": true,
  ["a".repeat(31)]: true,
  "a": false,
  ["a".repeat(32)]: false,
  "2nd": false,
  "a--b": false,
  "a-": false,
  "-a": false,
  "A1": false,
  "a_b": false,
};

for (const [name, isGood] of Object.entries(NAMES)) {
  Deno.test(`"${name}" ${isGood ? "can" : "cannot"} be the name of an installation`, () => {
    for (const { AllowedPattern, MinLength, MaxLength } of rules) {
      const fits = name.length >= MinLength && name.length <= MaxLength;
      assert.equal(fits && new RegExp(`^(${AllowedPattern})$`).test(name), isGood);
    }
    if (isGood) assert.equal(installationName(name), name);
    else assert.throws(() => installationName(name), /2 to 31 lower-case letters, digits and single dashes/);
  });
}

Deno.test("names with a reserved prefix are refused with the reason", () => {
  for (const name of ["aws", "aws-tunnel", "ssmx"]) {
    assert.throws(() => installationName(name), /reserved by AWS/);
  }
});

const template = await Deno.readTextFile(new URL("../../lambdas/template.yaml", import.meta.url));
const { AllowedPattern } = parse(template, { logLevel: "silent" }).Parameters.IdleAfter;

/** Times, and whether they are valid for --idle-after. */
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

for (const [text, isValid] of Object.entries(TIMES)) {
  Deno.test(`deploy and template ${isValid ? "accept" : "refuse"} "${text}" as the time until servers sleep`, () => {
    assert.equal(new RegExp(`^(${AllowedPattern})$`).test(text), isValid);
    if (isValid) assert.equal(idleAfterTime(text), text);
    else assert.throws(() => idleAfterTime(text), /at least 5 minutes/);
  });
}
