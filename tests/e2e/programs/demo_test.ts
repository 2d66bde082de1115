/**
 * Purpose: the demo serves its curl line, and Ctrl-C, which a terminal sends to every process of the group, stops it
 * with exit code 0 and frees every port.
 */
import assert from "node:assert/strict";
import "reflect-metadata"; // x509 needs it to be there first
import { X509Crl } from "@peculiar/x509";
import { writeDemoFiles } from "../../../scripts/demo/files.ts";
import { curl } from "../../support/clients/curl.ts";
import { type Demo, FREE_PORTS, startDemo } from "../../support/programs/demo.ts";
import { proxyClient } from "../../support/clients/proxy_client.ts";
import { crlPem, testCrl } from "../../support/pki/test_crl.ts";
import { within } from "../../support/within.ts";
import { assertFree } from "../../support/programs/status.ts";

const DIR = `${import.meta.dirname}/../../../.demo`;

async function assertServes(demo: Demo): Promise<void> {
  const [program, ...args] = demo.lastLine.split(" ");
  assert.equal(program, "curl");
  const page = await curl(args);
  assert.equal(page.code, 0, page.errors);
  assert.match(page.text, /<h1>It works<\/h1>/);
  const [, proxy = "", url = ""] = args;
  const echo = await curl(["-x", proxy, "-d", "said twice", `${url}echo`]);
  assert.equal(echo.text, "said twice", echo.errors);
  using client = proxyClient(proxy);
  const socket = new WebSocket(`${url.replace("http", "ws")}ws`, { client });
  const heard = Promise.withResolvers<unknown>();
  socket.addEventListener("open", () => socket.send("hello"));
  socket.addEventListener("message", (event) => heard.resolve(event.data));
  assert.equal(await within(10_000, heard.promise, "an echo"), "hello");
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  socket.close();
  await within(10_000, closed, "the end of the WebSocket");
}

/** The demo names the console as the next step, and says once that it stops. */
function assertStopped(demo: Demo): void {
  assert.match(demo.out, /\nNext: open the console[^\n]*\ncurl [^\n]*\nstopping\nstopped\n$/);
}

/** A working demo logs no warnings and no line twice. */
async function assertCleanLogs(): Promise<void> {
  const said: string[] = [];
  for (const name of ["agent", "server"]) {
    for (const line of (await Deno.readTextFile(`${DIR}/${name}.log`)).trim().split("\n")) {
      const { level, message, event } = JSON.parse(line);
      if (event !== undefined) continue; // one line for each stream
      assert.equal(level, "INFO", line);
      assert.doesNotMatch(message, /no CRL configured|no revocation list/, line);
      said.push(`${name}: ${message}`);
    }
  }
  assert.deepEqual(said, [...new Set(said)]);
}

Deno.test("the demo stops with 0 at a second Ctrl-C too, and says so once", async () => {
  await using demo = await startDemo(FREE_PORTS);
  const { code } = await demo.interrupt("process", 2);
  assert.equal(code, 0, demo.errors);
  assertStopped(demo);
  for (const port of demo.ports) assertFree(port);
});

Deno.test("the demo replaces incomplete files of an interrupted run and expired ones", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sallyport_demo_" });
  try {
    const ports = { proxyPort: 1, serverPort: 2, consolePort: 3, healthPort: 4, originPort: 5 };
    const made = async () => {
      await writeDemoFiles(dir, ports);
      return await Deno.readTextFile(`${dir}/certs/crl.pem`);
    };
    const first = await made();
    assert.equal(await made(), first, "good files stay");
    await Deno.remove(`${dir}/certs/client.key`);
    const second = await made();
    assert.notEqual(second, first);
    await Deno.stat(`${dir}/certs/client.key`);
    const [cert, key] = await Promise.all(
      ["ca.crt", "ca.key"].map((name) => Deno.readTextFile(`${dir}/certs/${name}`)),
    );
    const over = await testCrl({ cert: cert!, key: key! }, { nextUpdate: new Date(Date.now() - 1_000) });
    await Deno.writeTextFile(`${dir}/certs/crl.pem`, crlPem(over));
    const third = await made();
    assert.ok(new X509Crl(third).nextUpdate!.getTime() > Date.now());
    for (const name of ["agent", "server"]) {
      assert.match(await Deno.readTextFile(`${dir}/${name}.yaml`), /^crl_file: certs\/crl\.pem$/m);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

for (const to of ["process", "group"] as const) {
  Deno.test(`the demo serves its curl line and stops with 0 when Ctrl-C goes to its ${to}`, async () => {
    await using demo = await startDemo(FREE_PORTS);
    await assertServes(demo);
    const { code } = await demo.interrupt(to);
    assert.equal(code, 0, demo.errors);
    assertStopped(demo);
    await assertCleanLogs();
    assert.equal(demo.ports.length, 5);
    for (const port of demo.ports) assertFree(port);
  });
}

Deno.test("the demo names a taken port and its flag, and starts nothing", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const flags = FREE_PORTS.with(FREE_PORTS.indexOf("--health-port") + 1, String(port));
  await assert.rejects(startDemo(flags), (error: Error) => {
    assert.match(error.message, new RegExp(`ended with 1[^]*port ${port} .*in use.*--health-port`));
    return true;
  });
});
