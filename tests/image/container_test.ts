/**
 * Purpose: the Dockerfile builds images, and the server's runs in a container with a read-only root, as an unprivileged
 * user and without a shell. Tests cannot rely on access to distroless, Deno's image or its runtime for executables:
 * files of this machine's Debian packages and denort.c stand in for them.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { bundle } from "../../scripts/build/bundle.ts";
import type { ProgramName } from "../../scripts/compile/targets.ts";
import { Chain, type ChainOptions } from "../support/programs/chain.ts";
import { curl } from "../support/clients/curl.ts";
import { eventually } from "../support/eventually.ts";
import { beginDownload, startHalfSendingOrigin, WHOLE_BODY } from "../support/clients/half_sent.ts";
import { startHttpOrigin } from "../support/origins/http_origin.ts";
import { assertFree } from "../support/programs/status.ts";
import { Container } from "./container.ts";
import { readEmbedded } from "./embedded.ts";
import { Images } from "./images.ts";
import { run, STAND_IN_FOLDER, whyNoStandIns } from "./stand_ins.ts";

const COMMIT = "0123456789ab";
const VERSION = new RegExp(`^\\d+\\.\\d+\\.\\d+ \\(${COMMIT}\\)\n$`);
const why = await whyNoStandIns();

/** The files that a server needs, in a folder that its user may read. */
async function serverCertificates(chain: Chain): Promise<string> {
  const folder = `${chain.dir}/server-certs`;
  await Deno.mkdir(folder);
  for (const name of ["ca.crt", "server.crt", "server.key"]) {
    await Deno.copyFile(`${chain.dir}/certs/${name}`, `${folder}/${name}`);
    await Deno.chown(`${folder}/${name}`, 65532, 65532);
  }
  return folder;
}

/** A free port. The health check reads the port from the environment, so it cannot be 0. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Fields of /proc/PID/status. */
async function statusOf(pid: number): Promise<Map<string, string>> {
  // Deno itself has no access to /proc.
  const lines = (await run("cat", [`/proc/${pid}/status`])).split("\n");
  return new Map(lines.map((line) => line.split(/:\s+/, 2) as [string, string]));
}

/** Builds an image and creates a container from it, as both programs need it. */
async function build(images: Images, program: ProgramName): Promise<Container> {
  const image = await images.build(program, COMMIT);
  const config = await images.config(image);
  assert.deepEqual(config.Entrypoint, [`/${program}`]);
  assert.equal(config.StopSignal, "SIGTERM");
  const root = await images.root(image);
  const { files } = readEmbedded(await Deno.readFile(`${root}/${program}`));
  assert.equal(new TextDecoder().decode(files.get(".build/commit")), COMMIT);
  const bundled = await bundle(`${program}/main.ts`);
  assert.ok(
    Buffer.from(bundled).equals(files.get(`.build/${program}.js`)!),
    "the bundle is the one that is made outside",
  );
  for (const shell of ["bin/sh", "usr/bin/sh", "usr/bin/busybox", "usr/bin/deno"]) {
    await assert.rejects(Deno.stat(`${root}/${shell}`), Deno.errors.NotFound);
  }
  const own = [...Deno.readDirSync(root)].filter(({ isFile }) => isFile).map(({ name }) => name);
  assert.deepEqual(own, [program]);
  return await Container.create(root, config);
}

Deno.test({
  name: `the server's image runs read-only, unprivileged and without a shell, and drains${
    why ? ` (${why})` : ""
  }`,
  ignore: why !== undefined,
  async fn() {
    await using images = await Images.create();
    const container = await build(images, "server");
    const { config } = container;
    assert.deepEqual(Object.keys(config.ExposedPorts), ["8443/tcp"]);
    const [kind, ...check] = config.Healthcheck!.Test;
    assert.equal(kind, "CMD", "the health check needs no shell");

    const wrapper: { server?: readonly string[] } = {};
    const options: ChainOptions = { wrapper };
    await using chain = await Chain.prepare(options);
    const certificates = await serverCertificates(chain);
    const healthPort = freePort();
    const variables = { SALLYPORT_HEALTH_PORT: `${healthPort}` };
    const inside = (command: readonly string[]) => {
      const [program, ...args] = container.command(certificates, variables, command);
      return run(program!, args);
    };

    const said = await inside([...config.Entrypoint, "--version"]);
    assert.match(said, VERSION);
    await assert.rejects(inside(check), /Cannot/, "there is no healthy server yet");

    wrapper.server = container.command(certificates, {
      ...variables,
      SALLYPORT_LISTEN_ADDR: "127.0.0.1",
      SALLYPORT_LISTEN_PORT: "0",
      SALLYPORT_TARGETS__ALLOW: "127.0.0.0/8",
    }, config.Entrypoint);
    await chain.startServer();
    assert.equal(chain.healthPort, healthPort);
    await chain.startAgent();

    await using origin = startHttpOrigin(() => new Response("hello"));
    const { text } = await curl(["-p", "-x", chain.proxyUrl, `http://${origin.host}/`]);
    assert.equal(text, "hello", chain.server.log.text);
    await inside(check);

    const status = await statusOf(chain.server.process.pid);
    assert.match(status.get("Uid")!, /^65532\t65532\t65532\t65532$/);
    assert.match(status.get("Gid")!, /^65532\t65532\t65532\t65532$/);
    assert.equal(status.get("Groups")!.trim(), "");
    assert.equal(status.get("CapEff"), "0".repeat(16));
    assert.equal(status.get("CapPrm"), "0".repeat(16));
    assert.equal(status.get("NoNewPrivs"), "1");
    for (const folder of ["/home/nonroot", "/certs", "/"]) {
      const write = `Deno.writeTextFileSync("${folder}/written","")`;
      await assert.rejects(inside([`${STAND_IN_FOLDER}/deno`, "eval", write]), /Read-only file system/);
    }

    await using slow = startHalfSendingOrigin();
    const { ended } = await beginDownload(["-p", "-x", chain.proxyUrl, `http://${slow.host}/`]);
    const stopped = chain.server.stop("SIGTERM");
    await eventually("the port is closed", async () => {
      await assert.rejects(
        async () => (await Deno.connect({ hostname: "127.0.0.1", port: chain.serverPort })).close(),
        Deno.errors.ConnectionRefused,
      );
    });
    slow.release();
    assert.deepEqual(await ended, { code: 0, text: WHOLE_BODY });
    assert.equal((await stopped).code, 0, chain.server.log.text);
    assert.equal((await chain.agent.stop()).code, 0, chain.agent.log.text);
    for (const port of [chain.proxyPort, chain.consolePort, chain.serverPort, healthPort]) assertFree(port);
  },
});

Deno.test({
  name: `the agent's image contains the agent only${why ? ` (${why})` : ""}`,
  ignore: why !== undefined,
  async fn() {
    await using images = await Images.create();
    const container = await build(images, "agent");
    assert.deepEqual(Object.keys(container.config.ExposedPorts), ["8080/tcp"]);
    assert.equal(container.config.Healthcheck, undefined);
    // The stand-in for denort has the server's permissions, so the agent itself is not run.
    const [program, ...args] = container.command(images.dir, {}, [
      ...container.config.Entrypoint,
      "--version",
    ]);
    assert.match(await run(program!, args), VERSION);
  },
});
