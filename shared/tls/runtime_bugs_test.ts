/** Mistakes that Deno once made in node:tls and that would hurt here; each would be noticed if it came back. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { eventually, eventuallyStable } from "../../tests/support/eventually.ts";
import { startHttpOrigin } from "../../tests/support/origins/http_origin.ts";
import { noOpenssl } from "../../tests/support/pki/openssl.ts";
import { TEST_SERVER_NAME, TestPki } from "../../tests/support/pki/pki.ts";
import { destroyed, TestListener } from "../../tests/support/pki/tls_pair.ts";
import { within } from "../../tests/support/within.ts";

Deno.test({
  name: `a TLS socket applies backpressure while the peer does not read (denoland/deno#33524)${
    noOpenssl ? `: ${noOpenssl}` : ""
  }`,
  // The peer is a program that can be stopped: a paused socket of this runtime reads on.
  ignore: noOpenssl !== undefined || Deno.build.os === "windows",
  async fn() {
    const pki = await TestPki.create();
    const { cert, key } = await pki.client();
    const dir = await Deno.makeTempDir();
    await using test = await TestListener.start(await pki.server());
    try {
      await Deno.writeTextFile(`${dir}/client.pem`, cert + key);
      const own = ["-cert", `${dir}/client.pem`, "-key", `${dir}/client.pem`];
      await using peer = new StoppablePeer(test.listener.address.port, own);
      const { socket } = await test.accepted();
      peer.child.kill("SIGSTOP");
      const chunk = new Uint8Array(1_048_576).fill(7);
      const chunks = 32;
      let written = 0;
      let heldBack = false;
      for (let count = 0; count < chunks; count++) {
        if (!socket.write(chunk, () => written++)) heldBack = true;
      }
      assert.equal(heldBack, true);
      await eventuallyStable("the kernel has what it takes", () => written + 1);
      assert.ok(written < chunks / 2, `${written} of ${chunks} writes completed though nothing was read`);
      peer.child.kill("SIGCONT");
      await eventually("everything came", () => assert.equal(peer.received, chunks * chunk.length));
      await eventually("every write was called back", () => assert.equal(written, chunks));
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

/** `openssl s_client`, which counts what it gets. */
class StoppablePeer implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  received = 0;
  readonly #reading: Promise<void>;

  constructor(port: number, args: readonly string[]) {
    const target = ["s_client", "-quiet", "-tls1_3", "-connect", `127.0.0.1:${port}`];
    const pipes = { stdin: "piped", stdout: "piped", stderr: "null" } as const;
    this.child = new Deno.Command("openssl", { args: [...target, ...args], ...pipes }).spawn();
    this.#reading = this.#count();
  }

  async #count(): Promise<void> {
    for await (const part of this.child.stdout) this.received += part.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await Promise.all([this.child.status, this.#reading]);
    await this.child.stdin.close().catch(() => {});
  }
}

Deno.test({
  name:
    "no socket is left of connections that were accepted, refused, or cut in their handshake (denoland/deno#35876)",
  // Where file descriptors can be counted.
  ignore: Deno.build.os !== "linux",
  async fn() {
    const pki = await TestPki.create();
    const client = await pki.client();
    const rogue = await pki.forged(await (await TestPki.create("Rogue CA")).clientKey());
    await using test = await TestListener.start(await pki.server());
    const round = async () => {
      const { socket } = await test.dial(client);
      const accepted = (await test.accepted()).socket;
      await destroyed(socket);
      await destroyed(accepted);
      const refused = await test.dial(rogue);
      const ended = once(refused.socket.resume(), "close");
      await test.refused();
      await within(5_000, ended, "a refused connection ends");
      const silent = connectTcp({ host: "127.0.0.1", port: test.listener.address.port });
      await once(silent, "connect");
      const gone = once(silent, "close");
      silent.destroy();
      await gone;
    };
    await round();
    const before = await descriptors();
    for (let count = 0; count < 20; count++) await round();
    await eventually("every descriptor is free again", async () => {
      assert.ok(await descriptors() <= before, `${await descriptors()} descriptors, ${before} before`);
    });
    assert.equal(test.listener.connectionCount, 0);
  },
});

/** Asked by another program: this one may not look at itself. */
async function descriptors(): Promise<number> {
  const { stdout } = await new Deno.Command("ls", { args: [`/proc/${Deno.pid}/fd`], stdin: "null" }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").length;
}

Deno.test("the TLS port and Deno.serve accept side by side (denoland/deno#32941)", async () => {
  const pki = await TestPki.create();
  const client = await pki.client();
  await using test = await TestListener.start(await pki.server());
  await using origin = startHttpOrigin(() => new Response("ok"));
  using http = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const ask = async () =>
    assert.equal(await (await fetch(`http://${origin.host}/`, { client: http })).text(), "ok");
  const sockets = await within(
    20_000,
    Promise.all(Array.from({ length: 40 }, async () => {
      await ask();
      return (await test.dial(client, { serverName: TEST_SERVER_NAME })).socket;
    })),
    "forty connections to both",
  );
  for (let count = 0; count < sockets.length; count++) await test.accepted();
  assert.equal(test.listener.connectionCount, sockets.length);
  await Promise.all(sockets.map(destroyed));
  await eventually("all are gone", () => assert.equal(test.listener.connectionCount, 0));
});
