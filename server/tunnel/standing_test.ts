import assert from "node:assert/strict";
import type { SallyportError } from "../../shared/errors.ts";
import type { Identity } from "../../shared/tls/identity.ts";
import type { Peer } from "../../shared/tls/peer.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { TestPki } from "../../tests/support/pki.ts";
import { Standing } from "./standing.ts";

const DAY_MS = 86_400_000;

/** A reception with one guest, who stays until it is expelled. */
async function setUp() {
  const pki = await TestPki.create();
  const [current, client] = [await pki.server(), await pki.client()];
  const clock = new ManualClock();
  clock.jumpWall(Date.now());
  const used: Identity[] = [];
  const expelled: (SallyportError | undefined)[] = [];
  const change: { to?: (identity: Identity) => void } = {};
  const peer = { commonName: "laptop", chain: client.chain } as unknown as Peer;
  const standing = new Standing({
    clock,
    identities: { current, onChange: (listener) => void (change.to = listener) },
    listener: { use: (identity) => void used.push(identity) },
    reception: { expel: (judge) => void expelled.push(judge(peer)) },
  });
  standing.start();
  return { standing, clock, current, change, used, expelled };
}

Deno.test("Standing gives the listener every identity and judges who is in by it", async () => {
  const { standing, clock, current, change, used, expelled } = await setUp();
  const other = await (await TestPki.create("Other CA")).server();
  change.to!(other);
  assert.deepEqual(used, [current, other]);
  assert.equal(expelled[0], undefined);
  assert.match(
    String(expelled[1]?.message),
    /^Cannot keep the connection: .* was issued by CN=Test CA, not by /,
  );
  standing.stop();
  assert.equal(clock.timers, 0);
});

Deno.test("Standing notices within a minute that the certificate of who is in has ended", async () => {
  const { standing, clock, expelled } = await setUp();
  clock.advance(DAY_MS - 60_000);
  assert.equal(expelled.some((error) => error !== undefined), false);
  clock.advance(120_000);
  assert.match(String(expelled.at(-1)?.message), /^Cannot keep the connection: .* expired at /);
  standing.stop();
  assert.equal(clock.timers, 0);
});
