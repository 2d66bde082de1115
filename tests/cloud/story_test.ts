/**
 * Purpose: the whole life cycle with the real agent, server and functions: nothing runs, a request wakes the server, it
 * becomes idle and is stopped, a request wakes it at another address, and the last agent stops it. AWS is emulated.
 */
import assert from "node:assert/strict";
import { signCall } from "../../agent/cloud/sign_call.ts";
import { METHODS } from "../../agent/cloud/fleet_client.ts";
import { signIn } from "../../scripts/deploy/aws.ts";
import { deploy } from "../../scripts/deploy/deploy.ts";
import { issueCertificate } from "../../agent/certs/issue.ts";
import { ActivityLog } from "../../lambdas/aws/activity.ts";
import { type Action, ACTIONS } from "../../shared/cloud/call.ts";
import { loadIdentity } from "../../shared/pki/identity/identity.ts";
import { Chain } from "../support/programs/chain.ts";
import { LambdaHost } from "../support/cloud/lambda_host.ts";
import { freePort, inEnvironment, Moto } from "../support/cloud/moto.ts";
import { cloudTest } from "../support/cloud/python_env.ts";
import { Scheduler } from "../support/cloud/scheduler.ts";
import { curl, startCurl } from "../support/clients/curl.ts";
import { eventually } from "../support/eventually.ts";
import { startHttpOrigin } from "../support/origins/http_origin.ts";
import { agentStatus } from "../support/programs/status.ts";

/** Port of the servers; each has an address of its own. */
const PORT = await freePort();
const NAME = "tunnel";
const NAMESPACE = `Sallyport/${NAME}`;

/** Clients that server and functions accept; they refuse "visitor". */
const CLIENTS = "cn:sallyport-client,cn:laptop";

/** Everything that exists before the first agent starts. */
async function world(bin: string, idleAfter: string) {
  await using stack = new AsyncDisposableStack();
  const moto = stack.use(await Moto.start(bin));
  stack.use(inEnvironment(moto.env));
  const chain = stack.use(await Chain.prepare());
  const dir = `${chain.dir}/cloud`;
  await Deno.mkdir(dir);
  const certs = `${chain.dir}/certs`;
  await Deno.writeTextFile(`${dir}/code.zip`, "run as processes instead");
  const code = `${dir}/code.zip`;
  await deploy({
    name: NAME,
    certs,
    withoutCrl: false,
    clientsAllow: CLIENTS,
    agentFile: `${dir}/agent.yaml`,
    image: "registry.example/sallyport-server:1",
    arch: "x86_64",
    listenPort: PORT,
    servers: 1,
    idleAfter,
    reservedConcurrency: undefined,
    network: undefined,
    budget: undefined,
    dryRun: false,
  }, {
    print() {},
    confirm: () => true,
    signIn: () => signIn({}),
    packageLambdas: () =>
      Promise.resolve({ layer: code, functions: { wake: code, query: code, sleep: code, kill: code } }),
    poll: 10,
  });
  for (const name of ["laptop", "visitor"]) await issueCertificate({ dir: certs, name });
  const read = (file: string) => Deno.readTextFile(`${certs}/${file}`);
  const crlParameter = `/${NAME}/crl`;
  const scheduler = stack.use(
    new Scheduler({
      cluster: NAME,
      service: `${NAME}-server`,
      family: `${NAME}-server`,
      port: PORT,
      env: {
        ...moto.env,
        SALLYPORT_CERT_PEM: await read("server.crt"),
        SALLYPORT_KEY_PEM: await read("server.key"),
        SALLYPORT_CA_CERT_PEM: await read("ca.crt"),
        SALLYPORT_CRL_PARAMETER: crlParameter,
        SALLYPORT_CLIENTS__ALLOW: CLIENTS,
        SALLYPORT_EMIT_METRICS: "true",
        SALLYPORT_METRICS_INTERVAL: "1s",
        SALLYPORT_METRICS_NAMESPACE: NAMESPACE,
        SALLYPORT_METRICS_NAME: NAME,
        SALLYPORT_TARGETS__ALLOW: "127.0.0.0/8",
      },
    }),
  );
  const lambda = stack.use(
    await LambdaHost.start(bin, dir, {
      ...moto.env,
      SALLYPORT_METRICS_NAMESPACE: NAMESPACE,
      SALLYPORT_CLUSTER: NAME,
      SALLYPORT_SERVICE: `${NAME}-server`,
      SALLYPORT_LISTEN_PORT: String(PORT),
      SALLYPORT_CA_CERT_PEM: await read("ca.crt"),
      SALLYPORT_CRL_PARAMETER: crlParameter,
      SALLYPORT_CLIENTS__ALLOW: CLIENTS,
      SALLYPORT_METRICS_NAME: NAME,
      SALLYPORT_IDLE_AFTER: idleAfter,
      SALLYPORT_METRICS_DELAY: "1s",
    }),
  );
  const origin = stack.use(startHttpOrigin(() => new Response("hello")));
  Object.assign(chain.options, {
    agent: {
      server_ip: "",
      server_port: PORT,
      wake_endpoint: lambda.url("wake"),
      query_endpoint: lambda.url("query"),
      kill_endpoint: lambda.url("kill"),
    },
  });
  const moved = stack.move();
  return { chain, scheduler, lambda, origin, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

type World = Awaited<ReturnType<typeof world>>;

async function assertServed({ chain, origin, lambda }: World): Promise<void> {
  const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  assert.equal(text, "hello", `${errors}\n${chain.agent.log.text}\n${lambda.logs.wake.text}`);
}

interface Decision {
  readonly stop: boolean;
  readonly reason: string;
}

const sleepNow = async ({ lambda }: World) => await lambda.tick("sleep") as Decision;

/** The newest report of the servers is current, and has this number of agents. */
async function reported(agents: number): Promise<void> {
  const since = Date.now();
  await eventually(`${agents} agents are reported`, async () => {
    const now = new Date();
    const reports = await new ActivityLog(NAMESPACE, NAME).agentReports(
      new Date(since),
      now,
      AbortSignal.timeout(10_000),
    );
    assert.equal(reports.sort((a, b) => b.at - a.at)[0]?.agents, agents);
  });
}

/** Calls a function as an agent with that certificate does. */
async function call(
  { chain, lambda }: World,
  action: Action,
  who: "client" | "laptop" | "visitor" = "client",
): Promise<{ status: number; body: unknown }> {
  const certs = `${chain.dir}/certs`;
  const identity = await loadIdentity({
    cert: { file: `${certs}/${who}.crt` },
    key: { file: `${certs}/${who}.key` },
    ca: { file: `${certs}/ca.crt` },
  });
  const url = new URL(lambda.url(action));
  const method = METHODS[action];
  const token = await signCall({ action, method, url, now: Date.now() }, identity);
  const response = await fetch(url, { method, headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** Answer of Kill when it leaves the servers running. */
function inUse(reason: string) {
  return { status: 409, body: { error: { code: "in_use", message: `Cannot stop the servers: ${reason}` } } };
}

await cloudTest("a server sleeps until it is needed, and sleeps again", async (bin, t) => {
  await using all = await world(bin, "6s");
  const { chain, scheduler } = all;

  await t.step(
    "nothing is running; the agent wakes the server, and the first request is served",
    async () => {
      assert.deepEqual(await call(all, "query"), { status: 200, body: { state: "stopped", servers: [] } });
      await chain.startAgent();
      await assertServed(all);
      assert.equal(scheduler.running, 1);
      const body = { state: "running", servers: [{ ip: scheduler.addresses[0], port: PORT }] };
      assert.deepEqual(await call(all, "query"), { status: 200, body });
    },
  );

  await t.step("a client outside clients.allow gets 401 without a reason", async () => {
    for (const action of ACTIONS) {
      assert.deepEqual(await call(all, action, "visitor"), { status: 401, body: undefined });
      assert.match(all.lambda.logs[action].text, /clients\.allow does not name \\?"visitor/);
    }
    assert.equal(await scheduler.desired(), 1);
  });

  await t.step("Kill leaves a server running that another agent uses, for any caller", async () => {
    await reported(1);
    const other = inUse("1 agent is connected, which is not the caller");
    // A report from the very second in which the server started may not count yet.
    await eventually("Kill reads the report", async () => {
      assert.deepEqual(await call(all, "kill", "laptop"), other);
    });
    const first = chain.agent;
    await chain.startAgent();
    await reported(2);
    await eventually("Kill reads the next report", async () => {
      assert.deepEqual(await call(all, "kill"), inUse("2 agents are connected"));
    });
    assert.equal(await scheduler.desired(), 1);
    await assertServed(all);
    await first.stop();
    await first.log.waitFor("server left running");
  });

  await t.step("Sleep leaves a new server running, and one with an open stream", async () => {
    const young = await sleepNow(all);
    assert.equal(young.stop, false);
    assert.match(young.reason, /s old$/);
    const answer = Promise.withResolvers<Response>();
    await using slow = startHttpOrigin(() => answer.promise);
    const held = startCurl(["-x", chain.proxyUrl, `http://${slow.host}/`]);
    const ended = held.output();
    // Until the server is old enough that the metrics decide.
    const decision = await eventually("Sleep looks at the metrics", async () => {
      const found = await sleepNow(all);
      assert.doesNotMatch(found.reason, /s old$/);
      return found;
    });
    assert.equal(decision.stop, false, decision.reason);
    assert.match(decision.reason, /^1 stream was open/);
    answer.resolve(new Response("late"));
    assert.equal(new TextDecoder().decode((await ended).stdout), "late");
  });

  await t.step("an idle server is stopped, and stays asleep", async () => {
    await eventually(
      "Sleep stops the server",
      async () => assert.equal((await sleepNow(all)).stop, true),
      60_000,
    );
    await eventually("the server is gone", () => assert.equal(scheduler.running, 0));
    await eventually("the agent knows", async () => assert.equal((await agentStatus(chain)).state, "asleep"));
    assert.equal(await scheduler.desired(), 0);
    assert.deepEqual((await sleepNow(all)).reason, "no server is desired");
  });

  await t.step("a request wakes it at another address", async () => {
    await assertServed(all);
    assert.equal(scheduler.addresses.length, 2);
    assert.notEqual(scheduler.addresses[0], scheduler.addresses[1]);
  });

  await t.step("the last of two agents to stop also stops the server", async () => {
    const first = chain.agent;
    await chain.startAgent();
    await assertServed(all);
    await first.stop();
    await first.log.waitFor("server left running");
    assert.equal(await scheduler.desired(), 1);
    await assertServed(all);
    await reported(1);
    await chain.agent.stop();
    await chain.agent.log.waitFor("server stopped, no other agent is connected");
    assert.equal(await scheduler.desired(), 0);
    await eventually("the server is gone", () => assert.equal(scheduler.running, 0));
  });
}, "cargo");

await cloudTest("concurrent calls leave one server or none, and never get a wrong answer", async (bin, t) => {
  await using all = await world(bin, "60s");
  const { scheduler } = all;

  await t.step("several Wakes start one server", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => call(all, "wake")));
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200, 200]);
    await eventually("it runs", async () => {
      assert.equal((await call(all, "query")).body as { state: string } && scheduler.running, 1);
      assert.equal(((await call(all, "query")).body as { state: string }).state, "running");
    });
    assert.equal(scheduler.addresses.length, 1);
  });

  await t.step("Sleep during Wake does not stop the new server", async () => {
    const [, decision] = await Promise.all([call(all, "wake"), sleepNow(all)]);
    assert.equal(decision.stop, false, decision.reason);
    assert.equal(await scheduler.desired(), 1);
  });

  await t.step(
    "concurrent Wake and Kill end like one of them, and the next Wake starts a server",
    async () => {
      const kills = [call(all, "kill"), call(all, "kill")];
      const wakes = [call(all, "wake"), call(all, "wake")];
      assert.deepEqual((await Promise.all(wakes)).map(({ status }) => status), [200, 200]);
      // Kill may not know enough about a new server, and then leaves it running.
      for (const { status } of await Promise.all(kills)) {
        assert.ok([200, 409, 503].includes(status), `${status}`);
      }
      assert.ok([0, 1].includes(await scheduler.desired()));
      await call(all, "wake");
      await eventually("it runs", async () => {
        assert.equal(((await call(all, "query")).body as { state: string }).state, "running");
      }, 30_000);
      assert.equal(await scheduler.desired(), 1);
    },
  );

  await t.step("Kill can be repeated", async () => {
    await eventually("Kill stops it", async () => assert.equal((await call(all, "kill")).status, 200));
    assert.equal((await call(all, "kill")).status, 200);
    assert.equal(await scheduler.desired(), 0);
    await eventually("the server is gone", () => assert.equal(scheduler.running, 0));
  });

  await t.step("strangers get 401 without a reason", async () => {
    for (const action of ["wake", "query", "kill"] as const) {
      const response = await fetch(all.lambda.url(action), { method: METHODS[action] });
      assert.deepEqual([response.status, await response.text()], [401, ""]);
    }
    assert.equal(await scheduler.desired(), 0);
  });
}, "cargo");
