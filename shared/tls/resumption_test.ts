import assert from "node:assert/strict";
import { createServer as createTlsServer } from "node:tls";
import { TEST_SERVER_NAME, TestPki } from "../../tests/support/pki.ts";
import { serve } from "../../tests/support/serving.ts";
import { TestListener } from "../../tests/support/tls_pair.ts";
import { whyMissing } from "../../tests/support/tools.ts";
import { within } from "../../tests/support/within.ts";
import { withReason } from "../../tests/support/with_reason.ts";

const missing = await whyMissing("openssl", "version");

Deno.test({
  name: `listenTls refuses resumed handshakes${missing ? `: ${missing}` : ""}`,
  ignore: missing !== undefined,
  async fn() {
    const pki = await TestPki.create();
    const server = await pki.server();
    const client = await pki.client();
    const dir = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${dir}/client.crt`, client.cert);
      await Deno.writeTextFile(`${dir}/client.key`, client.key);
      const own = ["-cert", `${dir}/client.crt`, "-key", `${dir}/client.key`];
      await using test = await TestListener.start(server);
      await using other = await serve(
        createTlsServer({ cert: server.cert, key: server.key }, (s) => s.end("hi")),
      );

      // A ticket of another TLS server of the process, which asks nobody for a certificate.
      await openssl(other.port, ["-sess_out", `${dir}/other`]);
      assert.match(
        await openssl(test.listener.address.port, ["-sess_in", `${dir}/other`]),
        /^Reused, TLSv1\.3/m,
      );
      withReason("peer_rejected", /it resumed an earlier session/)((await test.refused()).reason);

      // A ticket of this very port.
      const first = openssl(test.listener.address.port, [...own, "-sess_out", `${dir}/own`]);
      (await test.accepted()).socket.end("hi");
      await first;
      assert.match(
        await openssl(test.listener.address.port, ["-sess_in", `${dir}/own`]),
        /^Reused, TLSv1\.3/m,
      );
      withReason("peer_rejected", /it resumed an earlier session/)((await test.refused()).reason);
      assert.equal(test.listener.connectionCount, 0);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

/** Runs `openssl s_client` until the server hangs up; returns what it wrote. */
async function openssl(port: number, args: string[]): Promise<string> {
  const target = ["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_3", "-servername", TEST_SERVER_NAME];
  const command = new Deno.Command("openssl", {
    args: [...target, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const { stdout } = await within(5_000, child.output(), "openssl ends");
  await child.stdin.close().catch(() => {});
  return new TextDecoder().decode(stdout);
}
