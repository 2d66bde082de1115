import assert from "node:assert/strict";
import { createServer as createTlsServer } from "node:tls";
import { noOpenssl } from "../../tests/support/pki/openssl.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { sClient } from "../../tests/support/pki/s_client.ts";
import { serve } from "../../tests/support/pki/serving.ts";
import { testCrl } from "../../tests/support/pki/test_crl.ts";
import { TestListener } from "../../tests/support/pki/tls_pair.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import type { Identity } from "../pki/identity/identity.ts";
import { loadRevocationLists } from "../pki/load_revocation_lists.ts";

/** What the attacks have: a listener, a client that is accepted, and its files for `openssl`. */
interface Scene {
  readonly test: TestListener;
  readonly pki: TestPki;
  readonly server: Identity;
  readonly client: Identity;
  readonly dir: string;
  /** Options of s_client that show the client's certificate. */
  readonly own: readonly string[];
}

async function withScene(use: (scene: Scene) => Promise<void>): Promise<void> {
  const pki = await TestPki.create();
  const [server, client] = [await pki.server(), await pki.client()];
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/client.crt`, client.cert);
    await Deno.writeTextFile(`${dir}/client.key`, client.key);
    await using test = await TestListener.start(server);
    const own = ["-cert", `${dir}/client.crt`, "-key", `${dir}/client.key`];
    await use({ test, pki, server, client, dir, own });
    assert.equal(test.listener.connectionCount, 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function attack(name: string, fn: (scene: Scene) => Promise<void>): void {
  Deno.test({
    name: `listenTls refuses ${name}${noOpenssl ? `: ${noOpenssl}` : ""}`,
    ignore: noOpenssl !== undefined,
    fn: () => withScene(fn),
  });
}

/** Lets the client in once and keeps the ticket that it gets. */
async function takeTicket({ test, dir, own }: Scene): Promise<string> {
  const ticket = `${dir}/ticket`;
  const first = sClient(test.listener.address.port, [...own, "-sess_out", ticket]);
  const { socket } = await test.accepted();
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  assert.equal((await first).resumed, false);
  socket.destroy();
  await closed;
  return ticket;
}

/** Comes back with a ticket: the handshake resumes, which is what makes it an attack, and is refused. */
async function useTicket({ test }: Scene, ticket: string, args: readonly string[] = []): Promise<void> {
  const { resumed, text } = await sClient(test.listener.address.port, ["-sess_in", ticket, ...args]);
  assert.equal(resumed, true, text);
  withReason("peer_rejected", /it resumed an earlier TLS session/)((await test.refused()).reason);
}

attack("a session of another TLS server of the process", async (scene) => {
  const { cert, key } = scene.server;
  // It asks no client for a certificate.
  await using other = await serve(createTlsServer({ cert, key }, (socket) => socket.end("hi")));
  const ticket = `${scene.dir}/other`;
  await sClient(other.port, ["-sess_out", ticket]);
  await useTicket(scene, ticket);
});

attack("a session of its own without a certificate", async (scene) => {
  await useTicket(scene, await takeTicket(scene));
});

attack("a session of its own with the certificate", async (scene) => {
  await useTicket(scene, await takeTicket(scene), scene.own);
});

attack("a session of its own after the CA was swapped", async (scene) => {
  const ticket = await takeTicket(scene);
  const other = await TestPki.create("Other CA");
  scene.test.listener.use(await other.server());
  // The runtime keeps its tickets, though their holders are no longer trusted.
  await useTicket(scene, ticket, scene.own);
  await useTicket(scene, ticket);
});

attack("a session of its own after its client was revoked", async (scene) => {
  const ticket = await takeTicket(scene);
  const { pki, server, client } = scene;
  const bytes = await testCrl(pki.authority.files, { revoked: [client.cert] });
  const revocation = loadRevocationLists({ bytes, name: "list" }, server.authorities, new Date());
  scene.test.listener.use({ ...server, revocation });
  await useTicket(scene, ticket, scene.own);
  // Without the ticket the list identifies it.
  await sClient(scene.test.listener.address.port, scene.own);
  withReason("peer_rejected", /\(CN=test-client\) was revoked/)((await scene.test.refused()).reason);
});
