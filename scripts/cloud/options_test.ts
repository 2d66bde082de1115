import assert from "node:assert/strict";
import { parse } from "yaml";
import { installationName } from "./options.ts";

interface NameParameter {
  readonly AllowedPattern: string;
  readonly MinLength: number;
  readonly MaxLength: number;
}

const rules: NameParameter[] = await Promise.all(["template.yaml", "bootstrap.yaml"].map(async (file) => {
  const text = await Deno.readTextFile(new URL(`../../lambdas/${file}`, import.meta.url));
  return parse(text, { logLevel: "silent" }).Parameters.Name;
}));

/** Names, and whether an installation can have them. */
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
    else assert.throws(() => installationName(name), /2 to 31 small letters, digits and single dashes/);
  });
}

Deno.test("names that begin as AWS' own parameters do are refused with the reason", () => {
  for (const name of ["aws", "aws-tunnel", "ssmx"]) {
    assert.throws(() => installationName(name), /reserved by AWS/);
  }
});
