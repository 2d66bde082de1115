/**
 * Purpose: incomplete requests at the server's health port and at the agent's console are limited in number and time,
 * so that with `ulimit -n 1024` agents keep their tunnels, a new agent can connect, and health checks are answered.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/programs/chain.ts";
import { echoes, ManyClients } from "../support/faults/many_clients.ts";
import { eventually } from "../support/eventually.ts";
import { HALF_REQUEST, HalfRequests } from "../support/clients/half_requests.ts";
import { metrics } from "../support/programs/metrics.ts";
import { startSecondAgent } from "../support/programs/second_agent.ts";
import { withOpenFiles } from "../support/programs/programs.ts";
import { startTcpOrigin } from "../support/origins/tcp_origin.ts";
import { within } from "../support/within.ts";
import { agentStatus, health } from "../support/programs/status.ts";

const FLOOD = 1_000;
/** Connections that the port accepts at once. */
const MAX_CONNECTIONS = 32;
/** Milliseconds until every incomplete request has ended: many times their limit. */
const ENDED = 30_000;

const unlimited = Deno.build.os === "windows" ? "no ulimit on this machine" : undefined;

function test(name: string, fn: () => Promise<void>): void {
  const reason = unlimited === undefined ? "" : ` (skipped: ${unlimited})`;
  Deno.test({ name: `${name}${reason}`, ignore: unlimited !== undefined, fn });
}

test("incomplete requests at the health port cost no agent its tunnel, and a check is answered", async () => {
  // An agent that is killed is soon forgotten.
  const server = { resume_timeout: "1s" };
  await using chain = await Chain.start({ server, wrapper: { server: withOpenFiles(1_024) } });
  await using other = await startSecondAgent(chain);
  await using echo = startTcpOrigin((connection) => connection.readable.pipeTo(connection.writable));
  {
    await using many = new ManyClients(chain.proxyPort, echo.host, 5);
    await using others = new ManyClients(other.proxyPort, echo.host, 5);
    const clients = [...await many.results(ENDED), ...await others.results(ENDED)];
    for (const { result } of clients) assert.equal(result, 200);
    const { connections } = await health(chain);
    assert.equal(connections, 2);

    using flood = await HalfRequests.send(chain.healthPort, HALF_REQUEST, FLOOD);
    assert.equal((await health(chain)).connections, connections, "a new client is answered");
    for (const client of clients) assert.ok(await echoes(client));
    const found = await metrics(chain);
    const limit = 'limit="health_connections"';
    assert.equal(found.get(`sallyport_limit_max{${limit}}`), MAX_CONNECTIONS);
    assert.ok(found.get(`sallyport_limit_used{${limit}}`)! <= MAX_CONNECTIONS);
    const evicted = found.get(`sallyport_limit_denied_total{${limit},how="evicted"}`)!;
    assert.ok(evicted >= FLOOD - MAX_CONNECTIONS, `${evicted} gave way`);
    {
      await using late = await startSecondAgent(chain, "late");
      await using many = new ManyClients(late.proxyPort, echo.host, 1);
      assert.equal((await many.results(ENDED))[0]!.result, 200);
    }
    await within(ENDED, flood.ended, "the end of every half request");
    for (const client of clients) assert.ok(await echoes(client));
  }
  assert.equal((await other.agent.stop()).code, 0);
  await eventually("the other agent has disconnected", async () => {
    assert.equal((await health(chain)).connections, 1);
  });
  await chain.finish();
});

test("incomplete requests at the agent's console cost no client its tunnel, and it still shows its status", async () => {
  await using chain = await Chain.start({ wrapper: { agent: withOpenFiles(1_024) } });
  await using echo = startTcpOrigin((connection) => connection.readable.pipeTo(connection.writable));
  {
    await using many = new ManyClients(chain.proxyPort, echo.host, 5);
    const clients = await many.results(ENDED);
    using flood = await HalfRequests.send(chain.consolePort, HALF_REQUEST, FLOOD);
    assert.equal((await agentStatus(chain)).state, "ready");
    await using late = new ManyClients(chain.proxyPort, echo.host, 1);
    for (const client of [...clients, ...await late.results(ENDED)]) {
      assert.equal(client.result, 200);
      assert.ok(await echoes(client));
    }
    await within(ENDED, flood.ended, "the end of every half request");
  }
  await chain.finish();
});
