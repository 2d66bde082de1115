/** Purpose: `agent doctor` tells apart what can be wrong with the path to the server, each with the real fault. */
import assert from "node:assert/strict";
import type { ProblemName } from "../../agent/doctor/problems.ts";
import { Chain } from "../support/chain.ts";
import { examined, keysOf, keysWith, startTlsServer } from "../support/doctor.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { TestPki } from "../support/pki.ts";
import { Relay } from "../support/relay.ts";
import { startSilentTarget } from "../support/silent_target.ts";
import { startTcpOrigin } from "../support/tcp_origin.ts";

/** A place that an agent takes for its server. */
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
    what: "packets that are dropped without a word",
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
    what: "a path that resets what looks like TLS",
    place: () =>
      Promise.resolve(startTcpOrigin(async (connection) => {
        await connection.read(new Uint8Array(1));
        // What was received and is not read makes the kernel reset it.
      })),
    step: "tls",
    problem: "reset",
    exitCode: 52,
  },
  {
    what: "a port where another protocol is spoken",
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
  Deno.test(`agent doctor knows ${what}`, async () => {
    await using chain = await Chain.prepare();
    await using there = await place();
    await using origin = startHttpOrigin(() => new Response("hello"));
    const keys = { ...keysOf(chain), server_port: there.port };
    const examination = await examined({ keys, args: ["--control", `http://${origin.host}/`] });
    examination.assertCause(step, problem, exitCode);
  });
}

Deno.test("agent doctor knows a name that does not resolve", async () => {
  await using chain = await Chain.prepare();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const keys = { ...keysOf(chain), server_ip: "server.invalid" };
  const examination = await examined({ keys, args: ["--control", `http://${origin.host}/`] });
  examination.assertCause("names", "dns", 40);
  assert.match(examination.step("names").detail, /^Cannot resolve server\.invalid: /);
});

Deno.test("agent doctor puts a silent server down to a network that has no way out, and no other", async () => {
  await using chain = await Chain.prepare();
  using silent = await startSilentTarget();
  const args = ["--control", "http://127.0.0.1:1/"];
  const keys = { ...keysOf(chain), server_port: Number(silent.host.split(":")[1]) };
  const nothing = await examined({ keys, args });
  nothing.assertCause("control", "network", 25);
  assert.deepEqual(nothing.step("server").because, "control");
  // Here somebody answers.
  (await examined({ keys: keysOf(chain), args })).assertCause("server", "refused", 50);
});

Deno.test("what somebody on the way answers in place of the control site tells agent doctor nothing", async () => {
  await using chain = await Chain.prepare();
  await using origin = startHttpOrigin(() => new Response("down", { status: 503 }));
  const examination = await examined({ keys: keysOf(chain), args: ["--control", `http://${origin.host}/`] });
  examination.assertCause("server", "refused", 50);
  assert.equal(examination.step("control").outcome, "skipped");
});

Deno.test("a control site that sends to its own name by https is no portal, and may be long", async () => {
  await using chain = await Chain.prepare();
  await using to = startHttpOrigin(() => Response.redirect("https://127.0.0.1/", 301));
  await using long = startHttpOrigin(() => new Response(new Uint8Array(3_000_000)));
  for (const { host } of [to, long]) {
    const examination = await examined({ keys: keysOf(chain), args: ["--control", `http://${host}/`] });
    assert.equal(examination.step("control").outcome, "pass", JSON.stringify(examination.report));
  }
});

Deno.test("agent doctor knows a network that wants somebody to log in", async () => {
  await using chain = await Chain.prepare();
  await using portal = startHttpOrigin(() => Response.redirect("http://login.portal.example/", 302));
  const examination = await examined({ keys: keysOf(chain), args: ["--control", `http://${portal.host}/`] });
  examination.assertCause("control", "captive_portal", 26);
});

Deno.test("agent doctor does not take a portal that answers with its own certificate for more", async () => {
  const [pki, other] = await Promise.all([TestPki.create(), TestPki.create("Hotel")]);
  await using portal = startHttpOrigin(() => Response.redirect("http://login.portal.example/", 302));
  await using server = await startTlsServer(await other.serverKey());
  const keys = { ...keysWith(pki, await pki.clientKey()), server_port: server.port };
  const examination = await examined({ keys, args: ["--control", `http://${portal.host}/`] });
  examination.assertCause("control", "captive_portal", 26);
  assert.deepEqual([examination.step("tls").problem, examination.step("tls").because], [
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
    const examination = await examined({ keys, args: ["--control", `http://${origin.host}/`] });
    examination.assertCause("session", problem, exitCode);
  });
}

Deno.test("where the tunnel works, agent doctor minds no control site that is out of reach", async () => {
  await using chain = await Chain.prepare();
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const args = ["--control", "http://127.0.0.1:1/", "--page", `http://${origin.host}/`];
  const examination = await examined({ keys: keysOf(chain), args });
  assert.equal(examination.step("control").outcome, "fail");
  assert.deepEqual([examination.code, examination.report.cause], [0, undefined]);
  await chain.server.stop();
});
