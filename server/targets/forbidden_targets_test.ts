import assert from "node:assert/strict";
import { FORBIDDEN, IN_OTHER_SCRIPTS, MALFORMED } from "../../tests/support/attacks/forbidden_targets.ts";
import { createDialer } from "../../shared/egress/dial/dial.ts";
import { createTargetPolicy } from "./target_policy.ts";

/** A dialer of default rules, for which every name leads to this machine and which must never connect. */
const dial = createDialer({
  policy: createTargetPolicy(),
  resolve(name) {
    assert.equal(name, "localhost");
    return Promise.resolve(["127.0.0.1", "::1"]);
  },
  connect: () => assert.fail("connected"),
});

for (const [host, range] of Object.entries({ ...FORBIDDEN, ...IN_OTHER_SCRIPTS })) {
  Deno.test(`dialer refuses ${host}`, async () => {
    const error = await dial(host, 80).then(() => assert.fail("connected"), (error) => error);
    assert.equal(error.code, "target_denied", error.message);
    assert.equal(String(error.cause).split(": ")[0], `default ${range}`);
    assert.match(error.message, /: private and other non-public addresses are refused by default$/);
  });
}

for (const host of MALFORMED) {
  Deno.test(`dialer refuses ${JSON.stringify(host)}`, async () => {
    await assert.rejects(dial(host, 80), { code: "bad_request" });
  });
}
