import assert from "node:assert/strict";
import { plainHealthAddress } from "./health_address.ts";

const of = (env: Record<string, string>) => plainHealthAddress((name) => env[name]);

Deno.test("the health address comes from the environment, or is the default", () => {
  assert.deepEqual(of({}), { host: "127.0.0.1", port: 8080 });
  const env = { SALLYPORT_HEALTH_ADDR: "::1", SALLYPORT_HEALTH_PORT: "9000" };
  assert.deepEqual(of(env), { host: "::1", port: 9000 });
});

for (
  const env of [{ SALLYPORT_HEALTH_PORT: "0" }, { SALLYPORT_HEALTH_PORT: "x" }, {
    SALLYPORT_HEALTH_ADDR: "a.b",
  }]
) {
  Deno.test(`a value that is not plain is left to the configuration: ${JSON.stringify(env)}`, () => {
    assert.equal(of(env), undefined);
  });
}
