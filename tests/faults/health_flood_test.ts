/**
 * Purpose: half requests at the server's health port and at the agent's console are few at once and end in time, so
 * that with `ulimit -n 1024` agents keep their tunnels, a new agent gets in, and health checks are answered.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { Crowd, stillEchoes } from "../support/crowd.ts";
import { eventually } from "../support/eventually.ts";
import { HALF_REQUEST, HalfRequests } from "../support/half_requests.ts";
import { metrics } from "../support/metrics.ts";
import { startOtherAgent } from "../support/other_agent.ts";
import { withOpenFiles } from "../support/programs.ts";
import { startTcpOrigin } from "../support/tcp_origin.ts";
import { within } from "../support/within.ts";
import { agentStatus, health } from "../support/zero.ts";

const FLOOD = 1_000;
/** Connections of the port at once. */
const MAX_CONNECTIONS = 32;
/** Milliseconds in which every half request has ended: many times what one may take. */
const ENDED = 30_000;

const unlimited = Deno.build.os === "windows" ? "no ulimit on this machine" : undefined;

function test(name: string, fn: () => Promise<void>): void {
  const reason = unlimited === undefined ? "" : ` (skipped: ${unlimited})`;
  Deno.test({ name: `${name}${reason}`, ignore: unlimited !== undefined, fn });
}

test("half requests at the health port cost no agent its tunnel, and a check is answered", async () => {
  await using chain = await Chain.start({ wrapper: { server: withOpenFiles(1_024) } });
  await using other = await startOtherAgent(chain);
  await using echo = startTcpOrigin((connection) => connection.readable.pipeTo(connection.writable));
  {
    await using crowd = new Crowd(chain.proxyPort, echo.host, 5);
    await using others = new Crowd(other.proxyPort, echo.host, 5);
    const guests = [...await crowd.outcomes(ENDED), ...await others.outcomes(ENDED)];
    for (const { outcome } of guests) assert.equal(outcome, 200);
    const { connections } = await health(chain);
    assert.equal(connections, 2);

    using flood = await HalfRequests.send(chain.healthPort, HALF_REQUEST, FLOOD);
    assert.equal((await health(chain)).connections, connections, "a new client is answered");
    for (const guest of guests) assert.ok(await stillEchoes(guest));
    const found = await metrics(chain);
    const limit = 'limit="health_connections"';
    assert.equal(found.get(`sallyport_limit_max{${limit}}`), MAX_CONNECTIONS);
    assert.ok(found.get(`sallyport_limit_used{${limit}}`)! <= MAX_CONNECTIONS);
    const evicted = found.get(`sallyport_limit_denied_total{${limit},how="evicted"}`)!;
    assert.ok(evicted >= FLOOD - MAX_CONNECTIONS, `${evicted} gave way`);
    {
      await using late = await startOtherAgent(chain, "late");
      await using crowd = new Crowd(late.proxyPort, echo.host, 1);
      assert.equal((await crowd.outcomes(ENDED))[0]!.outcome, 200);
    }
    await within(ENDED, flood.ended, "the end of every half request");
    for (const guest of guests) assert.ok(await stillEchoes(guest));
  }
  assert.equal((await other.agent.stop()).code, 0);
  await eventually("the other agent has left", async () => {
    assert.equal((await health(chain)).connections, 1);
  });
  await chain.finish();
});

test("half requests at the agent's console cost no client its tunnel, and it still tells its state", async () => {
  await using chain = await Chain.start({ wrapper: { agent: withOpenFiles(1_024) } });
  await using echo = startTcpOrigin((connection) => connection.readable.pipeTo(connection.writable));
  {
    await using crowd = new Crowd(chain.proxyPort, echo.host, 5);
    const guests = await crowd.outcomes(ENDED);
    using flood = await HalfRequests.send(chain.consolePort, HALF_REQUEST, FLOOD);
    assert.equal((await agentStatus(chain)).state, "ready");
    await using late = new Crowd(chain.proxyPort, echo.host, 1);
    for (const guest of [...guests, ...await late.outcomes(ENDED)]) {
      assert.equal(guest.outcome, 200);
      assert.ok(await stillEchoes(guest));
    }
    await within(ENDED, flood.ended, "the end of every half request");
  }
  await chain.finish();
});
