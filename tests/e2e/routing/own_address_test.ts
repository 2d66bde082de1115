/**
 * Purpose: services on the server's machine, which its firewall protects from the internet, cannot be reached at its own
 * public addresses unless `targets.allow` has an entry.
 */
import assert from "node:assert/strict";
import { ADDRESSES, type AttackReport } from "../../support/attacks/own_address_attack.ts";
import { runInNetworkNamespace, whyNoNetworkNamespace } from "../../support/programs/network_namespace.ts";

const missing = await whyNoNetworkNamespace();

Deno.test({
  name: `services at the server's own public addresses are refused, open port or not${
    missing === undefined ? "" : ` (skipped: ${missing})`
  }`,
  ignore: missing !== undefined,
  async fn() {
    // The second address of a network is reached from the first one: the two ends of a connection differ.
    const networks = [`${ADDRESSES[0]}/24`, `${ADDRESSES[1]}/24`, `${ADDRESSES[2]}/128`];
    const { success, out, errors } = await runInNetworkNamespace(
      networks,
      "../attacks/own_address_attack.ts",
    );
    assert.ok(success, `${out}\n${errors}`);
    const { answers, reached, details }: AttackReport = JSON.parse(out);
    for (const scene of ["open", "closed"]) {
      const all = answers[scene]!;
      assert.equal(Object.keys(all).length, 5 * ADDRESSES.length);
      for (const [way, answer] of Object.entries(all)) {
        assert.equal(answer, way.startsWith("socks") ? 2 : 403, `${scene}: ${way}`);
      }
      assert.equal(reached[scene], 0, "no connection was made");
      assert.deepEqual(
        details[scene],
        [...ADDRESSES].sort().map((address) =>
          `the server's own addresses are refused by default (own address: ${address})`
        ),
      );
    }
    assert.deepEqual(
      answers["allowed"],
      Object.fromEntries(ADDRESSES.map((address) => [`absolute ${address}`, 200])),
    );
    assert.ok(reached["allowed"]! > 0);
    assert.deepEqual([...new Set(Object.values(answers["own port"]!))], [403]);
    for (const detail of details["own port"]!) assert.match(detail, /\(own port: /);
  },
});
