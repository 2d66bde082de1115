/** Purpose: `agent doctor` distinguishes problems of the path to the server, each with the real problem. */
import assert from "node:assert/strict";
import type { ProblemName } from "../../../agent/doctor/problems.ts";
import { Chain } from "../../support/programs/chain.ts";
import { keysOf, keysWith, runDoctor, startTlsServer } from "../../support/programs/doctor.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { TestPki } from "../../support/pki/pki.ts";
import { Relay } from "../../support/faults/relay.ts";
import { startSilentTarget } from "../../support/origins/silent_target.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";

/** What listens at the server's address. */
interface Place extends AsyncDisposable {
  readonly port: number;
}

interface Row {
  readonly what: string;
  place(): Promise<Place>;
  readonly step: string;
  readonly problem: ProblemName;
  readonly exitCode: number;
}

function withoutDisposal(port: number): Place {
  return { port, [Symbol.asyncDispose]: () => Promise.resolve() };
}

const ROWS: readonly Row[] = [
  {
    what: "a closed port",
    // A privileged port on which nothing listens.
    place: () => Promise.resolve(withoutDisposal(1)),
    step: "server",
    problem: "refused",
    exitCode: 50,
  },
  {
    what: "packets that are dropped",
    async place() {
      const silent = await startSilentTarget();
      const port = Number(silent.host.split(":")[1]);
      return {
        port,
        [Symbol.asyncDispose]() {
          silent[Symbol.dispose]();
          return Promise.resolve();
        },
      };
    },
    step: "server",
    problem: "silent",
    exitCode: 51,
  },
  {
    what: "a path that goes silent once TLS begins",
    async place() {
      const relay = await Relay.start(1);
      relay.silence();
      return relay;
    },
    step: "tls",
    problem: "silent",
    exitCode: 51,
  },
  {
    what: "a path that resets TLS",
    place: () =>
      Promise.resolve(startTcpOrigin(async (connection) => {
        await connection.read(new Uint8Array(1));
        // Unread received data makes the kernel send a reset.
      })),
    step: "tls",
    problem: "reset",
    exitCode: 52,
  },
  {
    what: "a port with another protocol",
    place: () =>
      Promise.resolve(startTcpOrigin(async (connection) => {
        await connection.read(new Uint8Array(4_096));
        await connection.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
      })),
    step: "tls",
    problem: "not_tls",
    exitCode: 54,
  },
];

for (const { what, place, step, problem, exitCode } of ROWS) {
  Deno.test(`agent doctor reports ${what}`, async () => {
    await using chain = await Chain.prepare();
    await using there = await place();
    await using origin = startHttpOrigin(() => new Response("hello"));
    const keys = { ...keysOf(chain), server_port: there.port };
    const run = await runDoctor({ keys, args: ["--control", `http://${origin.host}/`] });
    run.assertCause(step, problem, exitCode);
  });
}

Deno.test("agent doctor reports a name that does not resolve", async () => {
  await using chain = await Chain.prepare();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const keys = { ...keysOf(chain), server_ip: "server.invalid" };
  const run = await runDoctor({ keys, args: ["--control", `http://${origin.host}/`] });
  run.assertCause("names", "dns", 40);
  assert.match(run.step("names").detail, /^Cannot resolve server\.invalid: /);
});

Deno.test("agent doctor explains a silent server, and only that, by a network without internet access", async () => {
  await using chain = await Chain.prepare();
  using silent = await startSilentTarget();
  const args = ["--control", "http://127.0.0.1:1/"];
  const keys = { ...keysOf(chain), server_port: Number(silent.host.split(":")[1]) };
  const nothing = await runDoctor({ keys, args });
  nothing.assertCause("control", "network", 25);
  assert.deepEqual(nothing.step("server").caused_by, "control");
  // Here the host answers.
  (await runDoctor({ keys: keysOf(chain), args })).assertCause("server", "refused", 50);
});

Deno.test("agent doctor ignores an error status of the control site", async () => {
  await using chain = await Chain.prepare();
  await using origin = startHttpOrigin(() => new Response("down", { status: 503 }));
  const run = await runDoctor({ keys: keysOf(chain), args: ["--control", `http://${origin.host}/`] });
  run.assertCause("server", "refused", 50);
  assert.equal(run.step("control").result, "skipped");
});

Deno.test("a control site may redirect to https and send a long page", async () => {
  await using chain = await Chain.prepare();
  await using to = startHttpOrigin(() => Response.redirect("https://127.0.0.1/", 301));
  await using long = startHttpOrigin(() => new Response(new Uint8Array(3_000_000)));
  for (const { host } of [to, long]) {
    const run = await runDoctor({ keys: keysOf(chain), args: ["--control", `http://${host}/`] });
    assert.equal(run.step("control").result, "pass", JSON.stringify(run.report));
  }
});

Deno.test("agent doctor reports a captive portal", async () => {
  await using chain = await Chain.prepare();
  await using portal = startHttpOrigin(() => Response.redirect("http://login.portal.example/", 302));
  const run = await runDoctor({ keys: keysOf(chain), args: ["--control", `http://${portal.host}/`] });
  run.assertCause("control", "captive_portal", 26);
});

Deno.test("agent doctor does not take a portal that answers with its own certificate for more", async () => {
  const [pki, other] = await Promise.all([TestPki.create(), TestPki.create("Hotel")]);
  await using portal = startHttpOrigin(() => Response.redirect("http://login.portal.example/", 302));
  await using server = await startTlsServer(await other.serverKey());
  const keys = { ...keysWith(pki, await pki.clientKey()), server_port: server.port };
  const run = await runDoctor({ keys, args: ["--control", `http://${portal.host}/`] });
  run.assertCause("control", "captive_portal", 26);
  assert.deepEqual([run.step("tls").problem, run.step("tls").caused_by], [
    "interception",
    "control",
  ]);
});

for (
  const [what, says, problem, exitCode] of [
    ["says nothing after TLS", "", "silent", 51],
    ["speaks HTTP over TLS", "HTTP/1.1 400 Bad Request\r\n\r\n", "not_tls", 54],
  ] as const
) {
  Deno.test(`agent doctor knows a server of the same CA that ${what}`, async () => {
    const pki = await TestPki.create();
    await using origin = startHttpOrigin(() => new Response("hello"));
    await using server = await startTlsServer(await pki.serverKey(), says);
    const keys = { ...keysWith(pki, await pki.clientKey()), server_port: server.port };
    const run = await runDoctor({ keys, args: ["--control", `http://${origin.host}/`] });
    run.assertCause("session", problem, exitCode);
  });
}

Deno.test("agent doctor ignores an unreachable control site if the tunnel works", async () => {
  await using chain = await Chain.prepare();
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const args = ["--control", "http://127.0.0.1:1/", "--page", `http://${origin.host}/`];
  const run = await runDoctor({ keys: keysOf(chain), args });
  assert.equal(run.step("control").result, "fail");
  assert.deepEqual([run.code, run.report.cause], [0, undefined]);
  await chain.server.stop();
});
