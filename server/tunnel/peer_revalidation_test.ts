import assert from "node:assert/strict";
import type { SallyportError } from "../../shared/errors.ts";
import type { Identity } from "../../shared/pki/identity/identity.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { PeerRevalidation } from "./peer_revalidation.ts";

const DAY_MS = 86_400_000;

/** A registry with one session, whose checks are recorded. */
async function setUp() {
  const pki = await TestPki.create();
  const [current, client] = [await pki.server(), await pki.client()];
  const clock = new ManualClock();
  clock.jumpWall(Date.now());
  const used: Identity[] = [];
  const refusals: (SallyportError | undefined)[] = [];
  const change: { to?: (identity: Identity) => void } = {};
  const peer = { commonName: "laptop", chain: client.chain } as unknown as Peer;
  const revalidation = new PeerRevalidation({
    clock,
    identities: { current, onChange: (listener) => (change.to = listener, () => {}) },
    listener: { use: (identity) => void used.push(identity) },
    sessions: { revalidate: (refusalOf) => void refusals.push(refusalOf(peer)) },
  });
  revalidation.start();
  return { revalidation, clock, current, change, used, refusals };
}

Deno.test("peer revalidation gives the listener every identity, and checks open sessions against it", async () => {
  const { revalidation, clock, current, change, used, refusals } = await setUp();
  const other = await (await TestPki.create("Other CA")).server();
  change.to!(other);
  assert.deepEqual(used, [current, other]);
  assert.equal(refusals[0], undefined);
  assert.match(
    String(refusals[1]?.message),
    /^Cannot keep the connection: .* was issued by CN=Test CA, not by /,
  );
  revalidation.stop();
  assert.equal(clock.timers, 0);
});

Deno.test("peer revalidation notices within a minute that the certificate of an open session has expired", async () => {
  const { revalidation, clock, refusals } = await setUp();
  clock.advance(DAY_MS - 60_000);
  assert.equal(refusals.some((error) => error !== undefined), false);
  clock.advance(120_000);
  assert.match(String(refusals.at(-1)?.message), /^Cannot keep the connection: .* expired on /);
  revalidation.stop();
  assert.equal(clock.timers, 0);
});
