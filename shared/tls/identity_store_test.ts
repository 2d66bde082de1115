import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { eventually } from "../../tests/support/eventually.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { TestPki } from "../../tests/support/pki.ts";
import { crlPem, testCrl } from "../../tests/support/test_crl.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { IdentityStore } from "./identity_store.ts";

/** A server's files and the store that reads them. */
class Stored implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly log = new LogNotes();
  readonly reloads: string[] = [];
  #store: IdentityStore | undefined;

  private constructor(readonly dir: string, readonly pki: TestPki) {
    this.clock.jumpWall(Date.now());
  }

  static async make(pki?: TestPki): Promise<Stored> {
    const stored = new Stored(await Deno.makeTempDir(), pki ?? await TestPki.create());
    await stored.renew();
    await Deno.writeTextFile(`${stored.dir}/ca.crt`, stored.pki.ca);
    await stored.revoke();
    return stored;
  }

  async open(pollMs = 1_000): Promise<IdentityStore> {
    const file = (name: string) => ({ file: `${this.dir}/${name}` });
    this.#store = await IdentityStore.open({
      source: { cert: file("a.crt"), key: file("a.key"), ca: file("ca.crt"), crl: file("ca.crl") },
      usage: "serverAuth",
      clock: this.clock,
      log: this.log,
      pollMs,
      onReload: (outcome) => this.reloads.push(outcome),
    });
    this.log.take();
    return this.#store;
  }

  /** Replaces certificate and key by new ones. */
  async renew(): Promise<void> {
    const { cert, key } = await this.pki.serverKey();
    await Deno.writeTextFile(`${this.dir}/a.crt`, cert);
    await Deno.writeTextFile(`${this.dir}/a.key`, key);
  }

  async revoke(...revoked: string[]): Promise<void> {
    await Deno.writeTextFile(
      `${this.dir}/ca.crl`,
      crlPem(await testCrl(this.pki.authority.files, { revoked })),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store?.close();
    assert.equal(this.clock.timers, 0);
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** Messages of a reload that failed and of one that did not; certificates of tests end within days. */
const FAILED = "error: certificates not reloaded, the old ones stay";
const DONE = "info: certificates reloaded";
const SOON = ["error: certificate ends very soon", "error: CA certificate ends very soon"];

Deno.test("IdentityStore replaces everything at once when a file changed", async () => {
  await using stored = await Stored.make();
  const store = await stored.open();
  const before = store.current;
  const seen: unknown[] = [];
  store.onChange((identity) => seen.push(identity));
  const client = (await stored.pki.clientKey()).cert;
  await stored.renew();
  await stored.revoke(client);
  await eventually("the change was noticed", () => {
    stored.clock.advance(1_000);
    assert.equal(seen.length, 1);
  });
  assert.equal(store.current, seen[0]);
  assert.notEqual(store.current.cert, before.cert);
  assert.equal(store.current.revocation?.entries, 1);
  assert.deepEqual(stored.log.take(), [DONE, ...SOON]);
  assert.deepEqual(stored.reloads, ["ok"]);
  assert.equal(store.report().last_reload?.outcome, "ok");
});

Deno.test("IdentityStore keeps the old after a bad reload, says so, and takes a later good one", async () => {
  await using stored = await Stored.make();
  const store = await stored.open();
  const before = store.current;
  const { cert: ofOther } = await stored.pki.serverKey();
  const good = await Deno.readTextFile(`${stored.dir}/a.crt`);
  const bad: [string, string, RegExp][] = [
    ["a.crt", ofOther, /^Cannot use private key .*a\.key: it is not the key of the certificate/],
    ["ca.crt", "nonsense", /^Cannot use CA certificate .*ca\.crt: it has no entry BEGIN CERTIFICATE$/],
    [
      "ca.crl",
      crlPem(await testCrl((await TestPki.create("Other CA")).authority.files)),
      /its issuer is not CN=Test CA$/,
    ],
  ];
  const originals = {
    "a.crt": good,
    "ca.crt": stored.pki.ca,
    "ca.crl": await Deno.readTextFile(`${stored.dir}/ca.crl`),
  };
  for (const [name, text, reason] of bad) {
    await Deno.writeTextFile(`${stored.dir}/${name}`, text);
    await store.reload("test");
    const [note] = stored.log.notes.splice(0);
    assert.equal(`${note!.level}: ${note!.message}`, FAILED);
    assert.match(String(note!.fields["error"]), reason);
    assert.equal(store.current, before);
    const { last_reload } = store.report();
    assert.equal(last_reload?.outcome, "failed");
    assert.match(String(last_reload?.error), reason);
    await Deno.writeTextFile(`${stored.dir}/${name}`, originals[name as keyof typeof originals]);
  }
  await Deno.remove(`${stored.dir}/a.key`);
  await store.reload("test");
  assert.deepEqual(stored.log.take(), [FAILED]);
  await stored.renew();
  await store.reload("test");
  assert.deepEqual(stored.log.take(), [DONE, ...SOON]);
  assert.notEqual(store.current, before);
  assert.deepEqual(stored.reloads, ["failed", "failed", "failed", "failed", "ok"]);
});

Deno.test("IdentityStore takes a list that revokes the certificate in use, and refuses a new one that it revokes", async () => {
  await using stored = await Stored.make();
  const store = await stored.open(1e9);
  const own = await Deno.readTextFile(`${stored.dir}/a.crt`);
  const ownKey = await Deno.readTextFile(`${stored.dir}/a.key`);
  assert.equal(store.report().certificate.revoked, undefined);
  await stored.revoke(own, (await stored.pki.clientKey()).cert);
  await store.reload("test");
  assert.equal(store.current.revocation?.entries, 2);
  assert.equal(store.report().certificate.revoked, true);
  const OWN = "error: own certificate is revoked, peers with the list refuse it: replace it";
  assert.deepEqual(stored.log.take(), [DONE, ...SOON, OWN]);

  await stored.renew();
  await stored.revoke(await Deno.readTextFile(`${stored.dir}/a.crt`));
  const before = store.current;
  await store.reload("test");
  assert.equal(store.current, before);
  assert.match(
    String(store.report().last_reload?.error),
    /a\.crt: it was revoked .*: issue another with certs issue/,
  );
  assert.deepEqual(stored.log.take(), [FAILED]);

  await stored.revoke(own);
  await store.reload("test");
  assert.equal(store.report().certificate.revoked, undefined);
  assert.deepEqual(stored.log.take(), [DONE, ...SOON]);
  // The one before is not in use any more.
  await Deno.writeTextFile(`${stored.dir}/a.crt`, own);
  await Deno.writeTextFile(`${stored.dir}/a.key`, ownKey);
  await store.reload("test");
  assert.deepEqual(stored.log.take(), [FAILED]);
});

Deno.test("IdentityStore tries a failed reload again by itself, and says only once why it failed", async () => {
  await using stored = await Stored.make();
  // The files are never looked at.
  const store = await stored.open(1e9);
  await Deno.writeTextFile(`${stored.dir}/ca.crt`, "");
  await store.reload("test");
  assert.deepEqual(stored.log.take(), [FAILED]);
  stored.clock.advance(30_000);
  await eventually("it was tried again", () => assert.equal(stored.reloads.length, 2));
  assert.deepEqual(stored.log.take(), []);
  await Deno.writeTextFile(`${stored.dir}/ca.crt`, stored.pki.ca);
  stored.clock.advance(30_000);
  await eventually("it was tried again", () => assert.equal(store.report().last_reload?.outcome, "ok"));
  assert.deepEqual(stored.log.take(), [DONE, ...SOON]);
  assert.deepEqual(stored.reloads, ["failed", "failed", "ok"]);
});

Deno.test("IdentityStore keeps the old when somebody who uses it cannot take the new", async () => {
  await using stored = await Stored.make();
  const store = await stored.open();
  const before = store.current;
  const taken: unknown[] = [];
  store.onChange((identity) => taken.push(identity));
  store.onChange((identity) => {
    if (identity !== before) throw new Error("TLS does not want it");
  });
  await stored.renew();
  await store.reload("test");
  assert.deepEqual(stored.log.take(), [FAILED]);
  assert.equal(store.current, before);
  assert.equal(taken.at(-1), before);
});

Deno.test("IdentityStore opens with nothing that cannot be used, and leaves nothing behind", async () => {
  await using stored = await Stored.make();
  const old = { thisUpdate: new Date(Date.now() - 9e8), nextUpdate: new Date(Date.now() - 1e8) };
  await Deno.writeTextFile(`${stored.dir}/ca.crl`, crlPem(await testCrl(stored.pki.authority.files, old)));
  const reason =
    /^Cannot use revocation list .*ca\.crl: it ran out at .*, a newer one is needed: make it with certs crl/;
  await assert.rejects(stored.open(), withReason("bad_request", reason));
});

Deno.test("IdentityStore goes on obeying a revocation list that runs out", async () => {
  await using stored = await Stored.make();
  const { cert } = await stored.pki.clientKey();
  await stored.revoke(cert);
  const store = await stored.open();
  stored.clock.jumpWall(10 * 86_400_000);
  const { authorities, revocation } = store.current;
  assert.match(String(revocation?.faultOf([new X509Certificate(cert)], authorities)), /^was revoked/);
  const { cert: other } = await stored.pki.clientKey();
  assert.equal(revocation?.faultOf([new X509Certificate(other)], authorities), undefined);
  assert.equal(store.report().crl?.expired, true);
  stored.clock.advance(60_000);
  assert.ok(stored.log.take().some((line) => line.startsWith("error: revocation list ran out")));
});
