/** Purpose: both programs load new certificates without a restart, and keep the old ones if the new ones are invalid. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { Chain } from "../../support/programs/chain.ts";
import { replaceFile } from "../../support/programs/chain_authority.ts";
import { curl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { beginDownload, startHalfSendingOrigin, WHOLE_BODY } from "../../support/clients/half_sent.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import type { Program } from "../../support/programs/programs.ts";
import { agentStatus, health } from "../../support/programs/status.ts";

const RELOADED = "certificates reloaded";
const FAILED = "certificates not reloaded, the old ones stay";
const LIMIT = 5_000;

/** Copies files of another chain's `certs` over those of this one, as an administrator would. */
async function take(chain: Chain, from: Chain, ...names: string[]): Promise<void> {
  for (const name of names) {
    await replaceFile(chain, name, await Deno.readTextFile(`${from.dir}/certs/${name}`));
  }
}

/** Requests a reload and waits until the program logs its result. */
async function hangUp(program: Program, message: string): Promise<string> {
  const before = program.log.lines.length;
  program.kill("SIGHUP");
  const { fields } = await program.log.waitFor(message, before);
  assert.equal(fields["reason"], "SIGHUP");
  return String(fields["error"] ?? "");
}

for (const part of ["server", "agent"] as const) {
  Deno.test({
    name: `the ${part} reloads on SIGHUP, and an invalid file keeps the old certificate`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using chain = await Chain.start();
      await using other = await Chain.prepare();
      await using origin = startHttpOrigin(() => new Response("hello"));
      const get = async () => (await curl(["-x", chain.proxyUrl, `http://${origin.host}/`])).text;
      const state = () => part === "server" ? health(chain) : agentStatus(chain);
      const name = part === "server" ? "server" : "client";
      const good = await Deno.readTextFile(`${chain.dir}/certs/${name}.crt`);

      await hangUp(chain[part], RELOADED);
      assert.equal((await state()).last_reload?.outcome, "ok");
      // A certificate from another CA, without its key.
      await take(chain, other, `${name}.crt`);
      assert.match(
        await hangUp(chain[part], FAILED),
        /^Cannot use private key .* is not the key of the certificate/,
      );
      const { last_reload } = await state();
      assert.equal(last_reload?.outcome, "failed");
      assert.match(String(last_reload?.error), /is not the key of the certificate/);
      assert.equal(await get(), "hello");
      await replaceFile(chain, `${name}.crt`, good);
      await hangUp(chain[part], RELOADED);
      assert.equal((await state()).last_reload?.outcome, "ok");
      assert.equal(await get(), "hello");
      await chain.finish();
    },
  });
}

Deno.test("a changed CA disconnects the agents of the old one within 5 s, and accepts those of the new one", async () => {
  await using chain = await Chain.start();
  await using other = await Chain.prepare();
  await using origin = startHalfSendingOrigin();
  const { ended } = await beginDownload(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  await take(chain, other, "ca.crt", "server.crt", "server.key", "client.crt", "client.key");
  const { fields } = await chain.server.log.waitFor("agent cut off", 0, LIMIT);
  assert.match(String(fields["error"]), /^Cannot keep the connection: its certificate .* was issued by /);
  const { code, text } = await ended;
  assert.notEqual(code, 0);
  assert.ok(text.length < WHOLE_BODY.length);

  // Both have the new files: the agent's next attempt uses them.
  await chain.agent.log.waitFor(RELOADED);
  await using site = startHttpOrigin(() => new Response("hello"));
  await eventually("the tunnel is back", async () => {
    assert.equal((await curl(["-x", chain.proxyUrl, `http://${site.host}/`])).text, "hello");
  });
  await chain.finish();
});

Deno.test("a renewed server certificate keeps connections open, and the next agent gets it", async () => {
  await using chain = await Chain.start();
  await using origin = startHalfSendingOrigin();
  const { ended } = await beginDownload(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  // A certificate from another CA that both trust, since their file has both.
  await using other = await Chain.prepare();
  const both = await Promise.all([chain, other].map(({ dir }) => Deno.readTextFile(`${dir}/certs/ca.crt`)));
  await replaceFile(chain, "ca.crt", both.join(""));
  await chain.agent.log.waitFor(RELOADED);
  await chain.server.log.waitFor(RELOADED);
  const before = chain.server.log.lines.length;
  await take(chain, other, "server.crt", "server.key");
  await chain.server.log.waitFor(RELOADED, before);
  origin.release();
  assert.deepEqual(await ended, { code: 0, text: WHOLE_BODY });
  assert.equal(chain.server.log.lines.some(({ message }) => message === "agent disconnected"), false);

  assert.equal((await chain.agent.stop()).code, 0);
  await chain.startAgent();
  await eventually(
    "the agent is connected",
    async () => assert.equal((await agentStatus(chain)).state, "ready"),
  );
  assert.match(await servedIssuer(chain), new RegExp(await issuerOf(other)));
  await chain.finish();
});

Deno.test({
  name: "the server notices files replaced by a swapped symbolic link, as in Kubernetes",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using chain = await Chain.prepare({
      server: { cert_file: "mount/server.crt", key_file: "mount/server.key", ca_cert_file: "mount/ca.crt" },
    });
    await using other = await Chain.prepare();
    const mount = `${chain.dir}/mount`;
    const names = ["server.crt", "server.key", "ca.crt"];
    await Deno.mkdir(mount);
    for (const [version, { dir }] of [["..1", chain], ["..2", other]] as const) {
      await Deno.mkdir(`${mount}/${version}`);
      for (const name of names) await Deno.copyFile(`${dir}/certs/${name}`, `${mount}/${version}/${name}`);
    }
    await Deno.symlink("..1", `${mount}/..data`);
    for (const name of names) await Deno.symlink(`..data/${name}`, `${mount}/${name}`);
    await chain.startServer();
    await Deno.symlink("..2", `${mount}/..swap`);
    await Deno.rename(`${mount}/..swap`, `${mount}/..data`);
    await chain.server.log.waitFor(RELOADED);
    await Deno.copyFile(`${other.dir}/certs/ca.crt`, `${chain.dir}/certs/ca.crt`);
    assert.match(await servedIssuer(chain), new RegExp(await issuerOf(other)));
    assert.equal((await chain.server.stop()).code, 0);
  },
});

/** The issuer of the server's current certificate. */
async function servedIssuer(chain: Chain): Promise<string> {
  const { errors } = await curl([
    ...["-v", "--connect-to", `sallyport-server:443:127.0.0.1:${chain.serverPort}`],
    ...["--cacert", `${chain.dir}/certs/ca.crt`, "https://sallyport-server/"],
  ]);
  return /issuer: (.*)/.exec(errors)?.[1] ?? errors;
}

async function issuerOf(chain: Chain): Promise<string> {
  const { subject } = new X509Certificate(await Deno.readTextFile(`${chain.dir}/certs/ca.crt`));
  return subject.replace(/^CN=/, "");
}
