import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { CertificateAuthority } from "../../../agent/certs/authority/certificate_authority.ts";
import { LogNotes } from "../../../tests/support/log_notes.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { testCrl } from "../../../tests/support/pki/test_crl.ts";
import { daysLeft, expiriesOf, ExpiryWatch, nearnessOf } from "./expiry.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { loadRevocationLists } from "../load_revocation_lists.ts";
import { trustReport } from "./trust_report.ts";

const DAY_MS = 86_400_000;
const START = Math.floor(Date.now() / 1000) * 1000;

/** An identity whose parts expire after these numbers of days. */
async function lasting(days: { own: number; ca: number; crl?: number }): Promise<Identity> {
  const end = (count: number) => new Date(START + count * DAY_MS);
  const authority = await CertificateAuthority.create({ commonName: "Test CA", notAfter: end(days.ca) });
  const { cert, key } = await authority.issue({
    commonName: "own",
    usages: ["serverAuth"],
    notAfter: end(days.own),
  });
  const pem = authority.files.cert;
  const identity = await loadIdentity({ cert: { pem: cert }, key: { pem: key }, ca: { pem } }, "serverAuth");
  if (days.crl === undefined) return identity;
  const bytes = await testCrl(authority.files, { thisUpdate: new Date(START), nextUpdate: end(days.crl) });
  const revocation = loadRevocationLists(
    { bytes, name: "list" },
    [new X509Certificate(pem)],
    new Date(START),
  );
  return { ...identity, revocation };
}

/** Watches an identity with a manual clock that starts at the current time. */
function watch(identity: Identity) {
  const clock = new ManualClock();
  clock.jumpWall(START);
  const log = new LogNotes();
  const expiry = new ExpiryWatch({ clock, log, identity: () => identity });
  expiry.start();
  return { clock, log, expiry };
}

Deno.test("ExpiryWatch logs at the start, once a day, as an error in the last week, and after the end", async () => {
  const { clock, log, expiry } = watch(await lasting({ own: 9.5, ca: 365 }));
  assert.deepEqual(log.take(), ["warn: certificate expires soon"]);
  clock.advance(DAY_MS - 60_000);
  assert.deepEqual(log.take(), []);
  clock.advance(60_000);
  assert.deepEqual(log.take(), ["warn: certificate expires soon"]);
  clock.advance(1.5 * DAY_MS);
  assert.deepEqual(log.take(), ["warn: certificate expires soon", "error: certificate expires very soon"]);
  clock.advance(6 * DAY_MS);
  assert.deepEqual(log.take(), Array(6).fill("error: certificate expires very soon"));
  clock.advance(DAY_MS + 60_000);
  const [last, over] = log.notes.splice(0);
  assert.equal(last!.message, "certificate expires very soon");
  assert.equal(over!.message, "certificate has expired, peers refuse it");
  assert.equal(over!.fields["subject"], "CN=own");
  assert.equal(over!.fields["days_left"], -1);
  expiry.stop();
  assert.equal(clock.timers, 0);
});

Deno.test("ExpiryWatch logs nothing far from the end, and notices the time a machine was asleep", async () => {
  const { clock, log, expiry } = watch(await lasting({ own: 40, ca: 100 }));
  clock.advance(DAY_MS);
  assert.deepEqual(log.take(), []);
  clock.jumpWall(10 * DAY_MS);
  clock.advance(60_000);
  assert.deepEqual(log.take(), ["warn: certificate expires soon"]);
  expiry.stop();
});

Deno.test("ExpiryWatch logs the CA certificate too", async () => {
  // Its own certificate expires with it: none outlives its CA.
  const { log, expiry } = watch(await lasting({ own: 20, ca: 5 }));
  assert.deepEqual(log.take(), [
    "error: certificate expires very soon",
    "error: CA certificate expires very soon",
  ]);
  expiry.stop();
});

Deno.test("ExpiryWatch logs a revocation list in the second half of its validity, and after its end", async () => {
  const { clock, log, expiry } = watch(await lasting({ own: 300, ca: 300, crl: 4 }));
  clock.advance(1.9 * DAY_MS);
  assert.deepEqual(log.take(), []);
  clock.advance(0.2 * DAY_MS);
  assert.deepEqual(log.take(), ["warn: revocation list expires soon"]);
  clock.advance(DAY_MS);
  assert.deepEqual(log.take(), ["error: revocation list expires very soon"]);
  clock.advance(DAY_MS);
  const expired =
    "error: revocation list has expired, certificates on it stay revoked, later revocations are not known";
  assert.equal(log.take().at(-1), expired);
  expiry.stop();
});

Deno.test("trustReport reports when each part expires, and an expired list", async () => {
  const identity = await lasting({ own: 20.5, ca: 300.5, crl: 3.5 });
  const at = (days: number) => new Date(START + days * DAY_MS).toISOString();
  const authorities = [{ issuer: "CN=Test CA", entries: 0, next_update: at(3.5) }];
  assert.deepEqual(trustReport(identity, START), {
    certificate: { not_after: at(20.5), days_left: 20 },
    ca_certificate: { not_after: at(300.5), days_left: 300 },
    crl: { next_update: at(3.5), days_left: 3, entries: 0, expired: false, authorities },
  });
  const reload = { outcome: "failed", at: at(4), error: "why" } as const;
  const later = trustReport(identity, START + 4 * DAY_MS, reload);
  assert.deepEqual(later.crl, {
    next_update: at(3.5),
    days_left: -1,
    entries: 0,
    expired: true,
    authorities,
  });
  assert.equal(later.last_reload, reload);
  assert.equal(trustReport(await lasting({ own: 1, ca: 1 }), START).crl, undefined);
});

Deno.test("nearnessOf tells far, soon, very soon and over apart", async () => {
  const [own] = expiriesOf(await lasting({ own: 100, ca: 100 }));
  const nearness = [69, 71, 92, 94, 101].map((days) => nearnessOf(own!, START + days * DAY_MS));
  assert.deepEqual(nearness, ["far", "soon", "soon", "very_soon", "over"]);
  assert.equal(daysLeft(own!.end, START + 99.5 * DAY_MS), 0);
});
