import "reflect-metadata"; // x509 needs it to be there first
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { testCrl } from "../../tests/support/pki/test_crl.ts";
import { TrustStore } from "./trust_store.ts";

const never = new AbortController().signal;
const pki = await TestPki.create();
const pem = (der: Uint8Array) => `-----BEGIN X509 CRL-----\n${der.toBase64()}\n-----END X509 CRL-----\n`;

/** A clock that begins now: lists have dates. */
function clockOfNow(): ManualClock {
  const clock = new ManualClock();
  clock.jumpWall(Date.now());
  return clock;
}

function storeOf(read: () => Promise<string>, clock: ManualClock, log = new LogNotes()): TrustStore {
  return new TrustStore({ caPem: pki.ca, crl: { parameter: "/test/crl", read }, clock, log });
}

Deno.test("the revocation list is read again once it is a minute old, and not before", async () => {
  const clock = clockOfNow();
  const lists = [
    await testCrl(pki.authority.files),
    await testCrl(pki.authority.files, { revoked: [pki.ca] }),
  ];
  let reads = 0;
  const readCrl = () => Promise.resolve(pem(lists[Math.min(reads++, 1)]!));
  const store = storeOf(readCrl, clock);
  assert.equal((await store.revocation(never))?.entries, 0);
  clock.advance(59_000);
  assert.equal((await store.revocation(never))?.entries, 0);
  assert.equal(reads, 1);
  clock.advance(1_000);
  assert.equal((await store.revocation(never))?.entries, 1);
  assert.equal(reads, 2);
});

Deno.test("a list ages by wall time, since other clocks may stop while a function is frozen", async () => {
  const clock = clockOfNow();
  const list = pem(await testCrl(pki.authority.files));
  let reads = 0;
  const readCrl = () => Promise.resolve((reads++, list));
  const store = storeOf(readCrl, clock);
  await store.revocation(never);
  clock.jumpWall(60_000);
  await store.revocation(never);
  assert.equal(reads, 2);
});

Deno.test("a list with a lower number than the last is not used, and logged", async () => {
  const clock = clockOfNow();
  const log = new LogNotes();
  const numbered = async (number: number, revoked: string[]) => {
    const extensions = [new x509.Extension("2.5.29.20", false, new Uint8Array([2, 1, number]))];
    return pem(await testCrl(pki.authority.files, { revoked, extensions }));
  };
  let list = await numbered(2, [pki.ca]);
  const store = storeOf(() => Promise.resolve(list), clock, log);
  await store.revocation(never);
  list = await numbered(1, []);
  clock.advance(60_000);
  assert.equal((await store.revocation(never))?.entries, 1);
  assert.match(String(log.notes[0]?.fields["error"]), /its number is 1, lower than 2/);
  list = await numbered(3, []);
  clock.advance(60_000);
  assert.equal((await store.revocation(never))?.entries, 0);
});

Deno.test("a list that cannot be read leaves the last one in force, and is logged", async () => {
  const clock = clockOfNow();
  const log = new LogNotes();
  let text: string | Error = pem(await testCrl(pki.authority.files, { revoked: [pki.ca] }));
  const readCrl = () => text instanceof Error ? Promise.reject(text) : Promise.resolve(text);
  const store = storeOf(readCrl, clock, log);
  await store.revocation(never);
  for (text of [new Error("throttled"), "no list"]) {
    clock.advance(60_000);
    assert.equal((await store.revocation(never))?.entries, 1);
  }
  assert.equal(log.notes.filter(({ level }) => level === "error").length, 2);
});

Deno.test("an expired list is an error at every call, also when it expires between two reads", async () => {
  const clock = clockOfNow();
  const revoked = [await pki.client()].map(({ cert }) => cert);
  const nextUpdate = new Date(clock.wallTime() + 30_000);
  const list = pem(await testCrl(pki.authority.files, { revoked, nextUpdate }));
  const store = storeOf(() => Promise.resolve(list), clock);
  await store.revocation(never);
  assert.equal(store.expiredReason(), undefined);
  clock.advance(31_000);
  const fresh = storeOf(() => Promise.resolve(list), clock);
  for (const each of [store, store, fresh]) {
    const revocation = await each.revocation(never);
    assert.match(
      String(each.expiredReason()),
      /^the revocation list of CN=Test CA expired on .*Z: sign \/test\/crl again with certs crl, and deploy$/,
    );
    const chain = revoked.map((cert) => new X509Certificate(cert));
    assert.match(String(revocation?.whyRevoked(chain, each.authorities)), /^was revoked/);
  }
});

Deno.test("without any list no caller is checked, and strangers cannot cause constant reads", async () => {
  const clock = clockOfNow();
  let reads = 0;
  const readCrl = () => Promise.reject(new Error(`failure ${++reads}`));
  const store = storeOf(readCrl, clock);
  for (let call = 0; call < 5; call++) await assert.rejects(store.revocation(never), /failure 1/);
  clock.advance(2_000);
  await assert.rejects(store.revocation(never), /failure 2/);
  assert.equal(reads, 2);
});

Deno.test("an unreadable CA is reported with the variable that it comes from", () => {
  const init = { caPem: "nothing", clock: clockOfNow(), log: new LogNotes() };
  assert.throws(() => new TrustStore(init), /SALLYPORT_CA_CERT_PEM/);
});
