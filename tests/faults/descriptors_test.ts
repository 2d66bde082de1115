/**
 * Purpose: a program that has as many files open as it may (`ulimit -n 64`) serves those whom it has, tells others
 * clearly, does not spin, and takes connections again as soon as it can.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { Crowd, type Guest, stillEchoes } from "../support/crowd.ts";
import { processorTicks } from "../support/descriptors.ts";
import { eventually } from "../support/eventually.ts";
import { withFault } from "../support/fault_scene.ts";
import { HALF_HANDSHAKE, HALF_REQUEST, HalfRequests } from "../support/half_requests.ts";
import { startOtherAgent } from "../support/other_agent.ts";
import { type Program, withOpenFiles } from "../support/programs.ts";
import { startTcpOrigin, type TcpOrigin } from "../support/tcp_origin.ts";
import { agentStatus, assertQuiet, health } from "../support/zero.ts";

/** More than the program can have. */
const GUESTS = 100;
/** Milliseconds in which every client has an answer or an end. */
const TOLD = 30_000;

const unlimited = Deno.build.os === "windows" ? "no ulimit on this machine" : undefined;

function test(name: string, fn: () => Promise<void>): void {
  const reason = unlimited === undefined ? "" : ` (skipped: ${unlimited})`;
  Deno.test({ name: `${name}${reason}`, ignore: unlimited !== undefined, fn });
}

test("a server that is out of descriptors refuses further targets with 503 and lives on", async () => {
  await withFault({ wrapper: { server: withOpenFiles(64) } }, async ({ chain, figure }) => {
    await using echo = startEcho();
    {
      await using crowd = new Crowd(chain.proxyPort, echo.host, GUESTS);
      const guests = await crowd.outcomes(TOLD);
      const served = guests.filter(({ outcome }) => outcome === 200);
      figure("tunnels", served.length);
      assert.ok(served.length >= 20, `${served.length} were served`);
      for (const guest of guests) if (guest.outcome !== 200) assertRefused(guest, "503");
      await assertCalm(chain.server, figure);
      await eventually("a server that is full tells how it is", () => health(chain));
      // Connections that cannot be taken now make the port deaf, unless somebody looks after it.
      await knock(chain.serverPort);
      await knock(chain.healthPort);
      for (const guest of served) assert.ok(await stillEchoes(guest));
    }
    const left = performance.now();
    await eventually("the health port answers", () => health(chain));
    figure("ms until the health port answers", Math.round(performance.now() - left));
    await chain.agent.stop();
    await chain.startAgent();
    await eventually("an agent gets in", async () => {
      assert.equal((await agentStatus(chain)).state, "ready");
    });
    figure("ms until another agent is in", Math.round(performance.now() - left));
  });
});

test("a client that takes all descriptors of a server keeps no other client out", async () => {
  await using chain = await Chain.start({ wrapper: { server: withOpenFiles(64) } });
  await using echo = startEcho();
  await using crowd = new Crowd(chain.proxyPort, echo.host, GUESTS);
  const served = (await crowd.outcomes(TOLD)).filter(({ outcome }) => outcome === 200);
  assert.ok(served.length < GUESTS, "the server is full");
  await using other = await startOtherAgent(chain);
  {
    await using honest = new Crowd(other.proxyPort, echo.host, 5);
    for (const guest of await honest.outcomes(TOLD)) {
      assert.equal(guest.outcome, 200);
      assert.ok(await stillEchoes(guest));
    }
  }
  assert.equal((await other.agent.stop()).code, 0);
});

test("an agent that is out of descriptors refuses further clients with 503 and lives on", async () => {
  await withFault({ wrapper: { agent: withOpenFiles(64) } }, async ({ chain, figure }) => {
    await using echo = startEcho();
    {
      await using crowd = new Crowd(chain.proxyPort, echo.host, GUESTS);
      const guests = await crowd.outcomes(TOLD);
      const served = guests.filter(({ outcome }) => outcome === 200);
      const told = guests.filter(({ outcome }) => String(outcome).startsWith("HTTP/1.1 503"));
      figure("tunnels", served.length);
      figure("told 503", told.length);
      assert.ok(served.length >= 15, `${served.length} were served`);
      assert.ok(told.length > 0, "some were told why");
      for (const guest of guests) if (guest.outcome !== 200) assertRefused(guest, "503|ConnectionReset");
      await assertCalm(chain.agent, figure);
      for (const guest of served) assert.ok(await stillEchoes(guest));
    }
    const left = performance.now();
    await assertQuiet(chain);
    await eventually("a client is served again", () => assertServed(chain, echo));
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
      // One by one: of several at once all may be refused, and leave room when they are gone.
      while (!chain.agent.log.text.includes("too many files and connections open")) {
        assert.ok((await agentStatus(chain)).clients < GUESTS, "the agent is full");
        held.use(await HalfRequests.send(chain.proxyPort, bytes, 1));
      }
      // Sooner than the 30 s that each of them may take.
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

function assertRefused({ outcome }: Guest, how: string): void {
  assert.match(String(outcome), new RegExp(`^(HTTP/1\\.1 )?(${how})`));
  if (!String(outcome).startsWith("HTTP")) return;
  assert.match(String(outcome), /\r\nProxy-Status: [^\r\n]*error=connection_limit_reached/);
}

/** Looks at its processor time for a second: a loop that fails to accept and tries again would take all of it. */
async function assertCalm(program: Program, figure: (what: string, value: number) => void): Promise<void> {
  const before = await processorTicks(program);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const ticks = await processorTicks(program) - before;
  figure("% of a processor when full", ticks);
  assert.ok(ticks < 50, `${ticks} % of a processor`);
}

/** Connects several times, waits for nothing, and leaves; a port may be closed for a moment. */
async function knock(port: number): Promise<void> {
  const visits = Array.from({ length: 10 }, () => Deno.connect({ hostname: "127.0.0.1", port }));
  for (const visit of await Promise.allSettled(visits)) {
    if (visit.status === "fulfilled") visit.value.close();
  }
}

async function assertServed(chain: Chain, echo: TcpOrigin): Promise<void> {
  await using crowd = new Crowd(chain.proxyPort, echo.host, 1);
  const [guest] = await crowd.outcomes(5_000);
  assert.equal(guest!.outcome, 200);
}
