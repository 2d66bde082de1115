/**
 * Purpose: nobody reaches services of the server's machine at its own public addresses, which its firewall keeps
 * from the internet, unless an entry of `targets.allow` says so.
 */
import assert from "node:assert/strict";
import { ADDRESSES, type AttackReport } from "../support/own_address_attack.ts";
import { runInOwnNetwork, whyNoOwnNetwork } from "../support/own_network.ts";

const missing = await whyNoOwnNetwork();

Deno.test({
  name: `services at the server's own public addresses are refused, open port or not${
    missing === undefined ? "" : ` (skipped: ${missing})`
  }`,
  ignore: missing !== undefined,
  async fn() {
    // The second address of a network is reached from the first one: the two ends of a connection differ.
    const networks = [`${ADDRESSES[0]}/24`, `${ADDRESSES[1]}/24`, `${ADDRESSES[2]}/128`];
    const { success, out, errors } = await runInOwnNetwork(networks, "own_address_attack.ts");
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
