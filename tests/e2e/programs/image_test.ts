/** Purpose: the image's files match the programs; tests/image builds an image and runs it. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { loadAgentConfig } from "../../../agent/config/config.ts";
import { loadServerConfig } from "../../../server/config/config.ts";

const ROOT = new URL("../../../", import.meta.url);
const dockerfile = (await Deno.readTextFile(new URL("Dockerfile", ROOT))).replaceAll("\\\n", " ");

/** The lines of a stage of the Dockerfile. */
function stage(name: string): string[] {
  const stages = dockerfile.split(/^FROM /m).slice(1);
  const found = stages.find((text) => text.split("\n")[0]!.endsWith(` AS ${name}`));
  assert.ok(found, name);
  return found.split("\n").map((line) => line.trim());
}

/** The variables that a stage sets. */
function variablesOf(name: string): Record<string, string> {
  const words = stage(name).filter((line) => line.startsWith("ENV ")).join(" ").match(/\w+=\S+/g) ?? [];
  return Object.fromEntries(words.map((word) => word.split("=") as [string, string]));
}

for (const name of ["server", "agent"] as const) {
  Deno.test(`the ${name}'s image runs one program, without a shell and without root`, () => {
    const lines = stage(name);
    assert.equal(lines[0], `\${BASE_IMAGE} AS ${name}`);
    assert.ok(lines.includes("USER nonroot"));
    assert.ok(lines.includes(`ENTRYPOINT ["/${name}"]`));
    assert.deepEqual(lines.filter((line) => line.startsWith("RUN ")), []);
    assert.deepEqual(lines.filter((line) => line.startsWith("COPY ")), [
      `COPY --from=compile /out/${name} /${name}`,
    ]);
  });
}

Deno.test("the images' variables are keys of the programs, and name files under /certs", async () => {
  const server = await loadServerConfig({ environment: variablesOf("server") });
  assert.deepEqual(server.identity.key, { file: "/certs/server.key" });
  const agent = await loadAgentConfig({
    environment: { ...variablesOf("agent"), SALLYPORT_SERVER_IP: "192.0.2.1" },
  });
  assert.deepEqual(agent.identity.key, { file: "/certs/client.key" });
});

Deno.test("the server's image checks its health by its own command, on loopback, and exposes only the agents' port", async () => {
  const lines = stage("server");
  assert.ok(lines.some((line) => /^HEALTHCHECK .*CMD \["\/server", "health"\]$/.test(line)), "HEALTHCHECK");
  const { listenPorts, healthAddr } = await loadServerConfig({ environment: variablesOf("server") });
  assert.equal(healthAddr, "127.0.0.1");
  assert.ok(lines.includes(`EXPOSE ${listenPorts.join(" ")}`));
});

Deno.test("base images are arguments, pinned by digest", () => {
  assert.match(dockerfile, /^ARG DENO_IMAGE=docker\.io\/denoland\/deno:[\d.]+@sha256:[0-9a-f]{64}$/m);
  assert.match(dockerfile, /^ARG BASE_IMAGE=gcr\.io\/distroless\/cc-debian\d+:nonroot@sha256:[0-9a-f]{64}$/m);
  for (const line of dockerfile.match(/^FROM .*/gm) ?? []) assert.match(line, /\$\{(DENO|BASE)_IMAGE\}/);
});

Deno.test("the composed server cannot write files or gain privileges, and sees only its own key", async () => {
  const { services: { server } } = parse(await Deno.readTextFile(new URL("compose.yaml", ROOT)));
  assert.equal(server.read_only, true);
  assert.deepEqual(server.cap_drop, ["ALL"]);
  assert.deepEqual(server.security_opt, ["no-new-privileges:true"]);
  // A folder into which the README has people copy what the server needs, and nothing else.
  assert.deepEqual(server.volumes, ["./server-certs:/certs:ro"]);
  assert.deepEqual(server.environment, {
    SALLYPORT_CRL_FILE: "/certs/crl.pem",
    SALLYPORT_HEALTH_ADDR: "0.0.0.0",
  });
  assert.ok(server.ports.includes("127.0.0.1:8082:8080"), "health for this machine only");
});

Deno.test("the build context of the images has the guide that the agent serves", async () => {
  assert.ok(stage("compile").includes("COPY docs docs"));
  assert.match(await Deno.readTextFile(new URL(".dockerignore", ROOT)), /^!docs$/m);
});
