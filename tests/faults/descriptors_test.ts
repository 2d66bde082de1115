/**
 * Purpose: a program that is out of file descriptors (`ulimit -n 64`) serves its open connections, refuses others with
 * a clear reason, does not spin, and accepts connections again as soon as it can.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/programs/chain.ts";
import { type ClientResult, echoes, ManyClients } from "../support/faults/many_clients.ts";
import { processorTicks } from "../support/process_stats.ts";
import { eventually } from "../support/eventually.ts";
import { withFault } from "../support/faults/fault_scene.ts";
import { HALF_HANDSHAKE, HALF_REQUEST, HalfRequests } from "../support/clients/half_requests.ts";
import { startSecondAgent } from "../support/programs/second_agent.ts";
import { type Program, withOpenFiles } from "../support/programs/programs.ts";
import { startTcpOrigin, type TcpOrigin } from "../support/origins/tcp_origin.ts";
import { agentStatus, assertIdle, health } from "../support/programs/status.ts";

/** More than the program can serve. */
const CLIENTS = 100;
/** Milliseconds until every client has an answer or an end. */
const ANSWERED = 30_000;
/** A tunnel that was answered before the server refuses it breaks instead of being refused. */
const REFUSES = { eager: false };

const unlimited = Deno.build.os === "windows" ? "no ulimit on this machine" : undefined;

function test(name: string, fn: () => Promise<void>): void {
  const reason = unlimited === undefined ? "" : ` (skipped: ${unlimited})`;
  Deno.test({ name: `${name}${reason}`, ignore: unlimited !== undefined, fn });
}

test("a server out of descriptors refuses further targets with 503 and keeps running", async () => {
  await withFault({ agent: REFUSES, wrapper: { server: withOpenFiles(64) } }, async ({ chain, figure }) => {
    await using echo = startEcho();
    {
      await using many = new ManyClients(chain.proxyPort, echo.host, CLIENTS);
      const clients = await many.results(ANSWERED);
      const served = clients.filter(({ result }) => result === 200);
      figure("tunnels", served.length);
      assert.ok(served.length >= 20, `${served.length} were served`);
      for (const client of clients) if (client.result !== 200) assertRefused(client, "503");
      await assertCalm(chain.server, figure);
      await eventually("a full server answers health checks", () => health(chain));
      // Connections that cannot be accepted now could stop the listener permanently.
      await connectAndClose(chain.serverPort);
      await connectAndClose(chain.healthPort);
      for (const client of served) assert.ok(await echoes(client));
    }
    const left = performance.now();
    await eventually("the health port answers", () => health(chain));
    figure("ms until the health port answers", Math.round(performance.now() - left));
    await chain.agent.stop();
    await chain.startAgent();
    await eventually("another agent connects", async () => {
      assert.equal((await agentStatus(chain)).state, "ready");
    });
    figure("ms until another agent is connected", Math.round(performance.now() - left));
  });
});

test("a client that uses up the descriptors of a server locks no other client out", async () => {
  await using chain = await Chain.start({ agent: REFUSES, wrapper: { server: withOpenFiles(64) } });
  await using echo = startEcho();
  await using many = new ManyClients(chain.proxyPort, echo.host, CLIENTS);
  const served = (await many.results(ANSWERED)).filter(({ result }) => result === 200);
  assert.ok(served.length < CLIENTS, "the server is full");
  await using other = await startSecondAgent(chain);
  {
    await using honest = new ManyClients(other.proxyPort, echo.host, 5);
    for (const client of await honest.results(ANSWERED)) {
      assert.equal(client.result, 200);
      assert.ok(await echoes(client));
    }
  }
  assert.equal((await other.agent.stop()).code, 0);
});

test("an agent out of descriptors refuses further clients with 503 and keeps running", async () => {
  await withFault({ wrapper: { agent: withOpenFiles(64) } }, async ({ chain, figure }) => {
    await using echo = startEcho();
    {
      await using many = new ManyClients(chain.proxyPort, echo.host, CLIENTS);
      const clients = await many.results(ANSWERED);
      const served = clients.filter(({ result }) => result === 200);
      const refused = clients.filter(({ result }) => String(result).startsWith("HTTP/1.1 503"));
      figure("tunnels", served.length);
      figure("refused with 503", refused.length);
      assert.ok(served.length >= 15, `${served.length} were served`);
      assert.ok(refused.length > 0, "some got the reason");
      for (const client of clients) if (client.result !== 200) assertRefused(client, "503|ConnectionReset");
      await assertCalm(chain.agent, figure);
      await connectAndClose(chain.consolePort);
      for (const client of served) assert.ok(await echoes(client));
    }
    const left = performance.now();
    await assertIdle(chain);
    await eventually("a client is served again", () => assertServed(chain, echo));
    await assertReopened(chain.agent);
    figure("ms until a client is served again", Math.round(performance.now() - left));
  });
});

for (
  const [what, bytes] of [["request heads", HALF_REQUEST], ["SOCKS5 handshakes", HALF_HANDSHAKE]] as const
) {
  test(`${what} that stop give way to a client when the agent is out of descriptors`, async () => {
    await using chain = await Chain.start({ wrapper: { agent: withOpenFiles(64) } });
    await using echo = startEcho();
    {
      using held = new DisposableStack();
      // One by one: of several at once all might be refused, which would leave room again.
      while (!chain.agent.log.text.includes("too many files and connections open")) {
        assert.ok((await agentStatus(chain)).clients < CLIENTS, "the agent is full");
        held.use(await HalfRequests.send(chain.proxyPort, bytes, 1));
      }
      // Sooner than the 30 s that each of them may last.
      await eventually("a client is served", () => assertServed(chain, echo));
    }
    await chain.finish();
  });
}

function startEcho(): TcpOrigin {
  return startTcpOrigin(async (connection) => {
    await connection.readable.pipeTo(connection.writable);
  });
}

function assertRefused({ result }: ClientResult, how: string): void {
  assert.match(String(result), new RegExp(`^(HTTP/1\\.1 )?(${how})`));
  if (!String(result).startsWith("HTTP")) return;
  assert.match(String(result), /\r\nProxy-Status: [^\r\n]*error=connection_limit_reached/);
}

/** Measures its processor time for a second: a loop that keeps failing to accept would use all of it. */
async function assertCalm(program: Program, figure: (what: string, value: number) => void): Promise<void> {
  const before = await processorTicks(program.process.pid);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const ticks = await processorTicks(program.process.pid) - before;
  figure("% of a processor when full", ticks);
  assert.ok(ticks < 50, `${ticks} % of a processor`);
}

/** Connects several times and closes at once; the port may be closed for a moment. */
async function connectAndClose(port: number): Promise<void> {
  const attempts = Array.from({ length: 10 }, () => Deno.connect({ hostname: "127.0.0.1", port }));
  for (const attempt of await Promise.allSettled(attempts)) {
    if (attempt.status === "fulfilled") attempt.value.close();
  }
}

/** What an agent logs when one of its ports stops accepting, and when it accepts again. */
const PORT_EVENTS = [
  { lost: "connections not accepted", reopened: "proxy port open again" },
  { lost: "console port lost", reopened: "console port open again" },
];

/** Asserts that each port that was lost, if any, is open again. */
async function assertReopened(program: Program): Promise<void> {
  await eventually("the ports are open again", () => {
    const messages = program.log.lines.map(({ message }) => message);
    const lost = PORT_EVENTS.filter((port) => messages.includes(port.lost));
    for (const port of lost) {
      assert.ok(messages.lastIndexOf(port.reopened) > messages.lastIndexOf(port.lost), program.log.text);
    }
  });
}

async function assertServed(chain: Chain, echo: TcpOrigin): Promise<void> {
  await using many = new ManyClients(chain.proxyPort, echo.host, 1);
  const [client] = await many.results(5_000);
  assert.equal(client!.result, 200);
}
