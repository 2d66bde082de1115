import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { eventually } from "../../../tests/support/eventually.ts";
import { LogNotes } from "../../../tests/support/log_notes.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { TestPki } from "../../../tests/support/pki/pki.ts";
import { crlPem, testCrl, type TestCrlOptions } from "../../../tests/support/pki/test_crl.ts";
import { withReason } from "../../../tests/support/with_reason.ts";
import type { LiveText } from "../x509/pem_source.ts";
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

  /** Log lines of the start. */
  openingLog: string[] = [];

  /** @param crl @default {the file, which `revoke` and `writeList` write} */
  async open(pollMs = 1_000, crl?: LiveText): Promise<IdentityStore> {
    const file = (name: string) => ({ file: `${this.dir}/${name}` });
    this.#store = await IdentityStore.open({
      source: { cert: file("a.crt"), key: file("a.key"), ca: file("ca.crt"), crl: crl ?? file("ca.crl") },
      usage: "serverAuth",
      clock: this.clock,
      log: this.log,
      pollMs,
      onReload: (outcome) => this.reloads.push(outcome),
    });
    this.openingLog = this.log.take();
    return this.#store;
  }

  /** Replaces certificate and key by new ones. */
  async renew(): Promise<void> {
    const { cert, key } = await this.pki.serverKey();
    await Deno.writeTextFile(`${this.dir}/a.crt`, cert);
    await Deno.writeTextFile(`${this.dir}/a.key`, key, { mode: 0o600 });
  }

  async revoke(...revoked: string[]): Promise<void> {
    await this.writeList({ revoked });
  }

  async writeList(options: TestCrlOptions): Promise<void> {
    await Deno.writeTextFile(`${this.dir}/ca.crl`, crlPem(await testCrl(this.pki.authority.files, options)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store?.close();
    assert.equal(this.clock.timers, 0);
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** Messages of a failed reload and of a successful one; certificates of tests expire within days. */
const FAILED = "error: certificates not reloaded, the old ones stay";
const DONE = "info: certificates reloaded";
const SOON = ["error: certificate expires very soon", "error: CA certificate expires very soon"];

Deno.test("IdentityStore replaces everything together when a file changes", async () => {
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

Deno.test("IdentityStore uses a live list that changes while it opens, and each later one", async () => {
  await using stored = await Stored.make();
  const listOf = async (...revoked: string[]) =>
    crlPem(await testCrl(stored.pki.authority.files, { revoked }));
  const [first, second] = [(await stored.pki.clientKey()).cert, (await stored.pki.clientKey()).cert];
  const next = [await listOf(), await listOf(first), await listOf(first, second)];
  let list = next.shift()!;
  let changed = () => {};
  const change = () => {
    list = next.shift()!;
    changed();
  };
  const store = await stored.open(1e9, {
    name: "of the test",
    onChange: (listener) => void (changed = listener),
    text() {
      const read = list;
      // The store has read the old list and is still opening.
      if (next.length === 2) change();
      return read;
    },
  });
  for (const entries of [1, 2]) {
    await eventually("the list was read", () => assert.equal(store.current.revocation?.entries, entries));
    if (entries === 1) change();
  }
  assert.deepEqual(stored.reloads, ["ok", "ok"]);
});

Deno.test("IdentityStore keeps the old identity after a failed reload, logs it, and uses a later valid one", async () => {
  await using stored = await Stored.make();
  const store = await stored.open();
  const before = store.current;
  const { cert: ofOther } = await stored.pki.serverKey();
  const good = await Deno.readTextFile(`${stored.dir}/a.crt`);
  const bad: [string, string, RegExp][] = [
    ["a.crt", ofOther, /^Cannot use private key .*a\.key: it is not the key of the certificate/],
    ["ca.crt", "nonsense", /^Cannot use CA certificate .*ca\.crt: it has no entry BEGIN CERTIFICATE; /],
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

Deno.test("IdentityStore accepts a list that revokes the certificate in use, and refuses a new certificate that it revokes", async () => {
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
    /a\.crt: it was revoked .*; issue a new one with npx .* certs issue --server/,
  );
  assert.deepEqual(stored.log.take(), [FAILED]);

  await stored.revoke(own);
  await store.reload("test");
  assert.equal(store.report().certificate.revoked, undefined);
  assert.deepEqual(stored.log.take(), [DONE, ...SOON]);
  // The earlier one is no longer in use.
  await Deno.writeTextFile(`${stored.dir}/a.crt`, own);
  await Deno.writeTextFile(`${stored.dir}/a.key`, ownKey);
  await store.reload("test");
  assert.deepEqual(stored.log.take(), [FAILED]);
});

Deno.test("IdentityStore retries a failed reload, and logs the error only once", async () => {
  await using stored = await Stored.make();
  // The files are never polled.
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

Deno.test("IdentityStore keeps the old identity when a listener cannot use the new one", async () => {
  await using stored = await Stored.make();
  const store = await stored.open();
  const before = store.current;
  const taken: unknown[] = [];
  store.onChange((identity) => taken.push(identity));
  store.onChange((identity) => {
    if (identity !== before) throw new Error("TLS refuses it");
  });
  await stored.renew();
  await store.reload("test");
  assert.deepEqual(stored.log.take(), [FAILED]);
  assert.equal(store.current, before);
  assert.equal(taken.at(-1), before);
});

Deno.test("IdentityStore does not open with an expired revocation list, and leaves no timer", async () => {
  await using stored = await Stored.make();
  const old = { thisUpdate: new Date(Date.now() - 9e8), nextUpdate: new Date(Date.now() - 1e8) };
  await Deno.writeTextFile(`${stored.dir}/ca.crl`, crlPem(await testCrl(stored.pki.authority.files, old)));
  const reason =
    /^Cannot use revocation list .*ca\.crl: it expired on .*; sign a new one with certs crl and copy it here/;
  await assert.rejects(stored.open(), withReason("bad_request", reason));
});

Deno.test("IdentityStore keeps a revocation list that expires in force", async () => {
  await using stored = await Stored.make();
  const { cert } = await stored.pki.clientKey();
  await stored.revoke(cert);
  const store = await stored.open();
  stored.clock.jumpWall(10 * 86_400_000);
  const { authorities, revocation } = store.current;
  assert.match(String(revocation?.whyRevoked([new X509Certificate(cert)], authorities)), /^was revoked/);
  const { cert: other } = await stored.pki.clientKey();
  assert.equal(revocation?.whyRevoked([new X509Certificate(other)], authorities), undefined);
  assert.equal(store.report().crl?.expired, true);
  stored.clock.advance(60_000);
  assert.ok(stored.log.take().some((line) => line.startsWith("error: revocation list has expired")));
});

Deno.test("IdentityStore refuses a revocation list older than the one in force, and logs it", async () => {
  await using stored = await Stored.make();
  const client = (await stored.pki.clientKey()).cert;
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
  await stored.writeList({ revoked: [client], thisUpdate: ago(1) });
  const store = await stored.open(3_600_000);
  const before = store.current;
  await stored.writeList({ thisUpdate: ago(2) });
  await store.reload("asked");
  assert.equal(store.current, before);
  assert.equal(store.current.revocation?.entries, 1);
  const { message, fields } = stored.log.notes.find(({ level }) => level === "error")!;
  assert.equal(`error: ${message}`, FAILED);
  assert.match(
    String(fields["error"]),
    /ca\.crl: its list of CN=Test CA \(of .*Z\) is older than the one in force \(of .*Z\), which stays/,
  );
  await stored.writeList({ revoked: [client], thisUpdate: ago(0) });
  await store.reload("asked");
  assert.deepEqual(stored.reloads, ["failed", "ok"]);
});

Deno.test({
  name: "IdentityStore logs a key file open to other users, at the start and after each reload",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using stored = await Stored.make();
    const key = `${stored.dir}/a.key`;
    await Deno.chmod(key, 0o640);
    const store = await stored.open(1e9);
    const warning = `warn: the private key ${key} is open to other users (mode 0640): chmod 600 ${key}`;
    assert.deepEqual(stored.openingLog, [...SOON, warning]);
    await store.reload("test");
    assert.deepEqual(stored.log.take(), [DONE, ...SOON, warning]);
    await Deno.chmod(key, 0o600);
    await store.reload("test");
    assert.deepEqual(stored.log.take(), [DONE, ...SOON]);
  },
});
