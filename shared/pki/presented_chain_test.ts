import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type TLSSocket } from "node:tls";
import { confusingChain } from "../../tests/support/pki/made_certificate.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { serve } from "../../tests/support/pki/serving.ts";
import { destroyed } from "../../tests/support/pki/tls_pair.ts";
import { MAX_CHAIN } from "./path_validation.ts";
import { presentedChain, presentedCount } from "./peer_verification.ts";

/** What a TLS server sees of a client. */
async function seenOf(client: { cert?: string; key?: string }, look: (socket: TLSSocket) => void) {
  const { cert, key, ca } = await (await TestPki.create()).server();
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false });
  await using listening = await serve(server);
  const arrived = once(server, "secureConnection") as Promise<[TLSSocket]>;
  const options = { host: "127.0.0.1", port: listening.port, rejectUnauthorized: false };
  const socket = connect({ ...options, ...client });
  socket.on("error", () => {});
  const [seen] = await arrived;
  try {
    look(seen);
  } finally {
    await Promise.all([destroyed(seen), destroyed(socket)]);
  }
}

Deno.test("a chain of 210 certificates is counted without parsing, and four are read", async () => {
  await seenOf(await confusingChain(210, "CN=x"), (socket) => {
    socket.getPeerCertificate = () => assert.fail("parsed the chain");
    assert.equal(presentedCount(socket), 210);
    assert.equal(presentedChain(socket).length, MAX_CHAIN);
  });
});

Deno.test("the presented certificates are those that the peer sent, in its order, without our CA", async () => {
  const pki = await TestPki.create();
  const { cert, key } = await pki.clientKey();
  await seenOf({ cert: cert + pki.ca, key }, (socket) => {
    assert.deepEqual(presentedChain(socket).map(({ subject }) => subject), ["CN=test-client", "CN=Test CA"]);
  });
  await seenOf({ cert, key }, (socket) => assert.equal(presentedCount(socket), 1));
  await seenOf({}, (socket) => assert.deepEqual(presentedChain(socket), []));
});
