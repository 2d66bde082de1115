import assert from "node:assert/strict";
import { signCall } from "../agent/cloud/sign_call.ts";
import { CloudError } from "../shared/aws/cloud_error.ts";
import type { FleetStatus } from "../shared/cloud/fleet_status.ts";
import { FLEET_FAILURES, type FleetFailureCode } from "../shared/cloud/fleet_status.ts";
import { systemClock } from "../shared/system_clock.ts";
import { urlEvent } from "../tests/support/cloud/runtime_api.ts";
import { LogNotes } from "../tests/support/log_notes.ts";
import type { FindEntry } from "../shared/clients/rules.ts";
import { TestPki } from "../tests/support/pki/pki.ts";
import { type HttpAnswer, httpFunction } from "./http_function.ts";
import type { TrustStore } from "./access/trust_store.ts";

const HOST = "abc.lambda-url.eu-central-1.on.aws";
const STOPPED: FleetStatus = { state: "stopped", servers: [] };
const pki = await TestPki.create();
const identity = await pki.client();
const context = {
  awsRequestId: "request-1",
  signal: new AbortController().signal,
  getRemainingTimeInMillis: () => 15_000,
};

interface Asked {
  readonly method?: string;
  readonly signed?: boolean;
  readonly act?: () => Promise<FleetStatus>;
  readonly revocation?: TrustStore["revocation"];
  readonly expired?: string;
  readonly findEntry?: FindEntry;
}

/** Calls a Wake function of the test. */
async function ask({ method = "POST", signed = true, act, revocation, expired, findEntry }: Asked) {
  const log = new LogNotes();
  const acts: number[] = [];
  const handler = httpFunction({
    action: "wake",
    method: "POST",
    clock: systemClock,
    log,
    ...(findEntry === undefined ? {} : { findEntry }),
    trust: {
      authorities: identity.authorities,
      revocation: revocation ?? (() => Promise.resolve(undefined)),
      expiredReason: () => expired,
    },
    act: () => {
      acts.push(1);
      return act?.() ?? Promise.resolve(STOPPED);
    },
  });
  const url = new URL(`https://${HOST}/`);
  const token = await signCall({ action: "wake", method, url, now: Date.now() }, identity);
  const event = urlEvent({ method, host: HOST, ...(signed ? { authorization: `Bearer ${token}` } : {}) });
  const answer = await handler(event, context) as HttpAnswer;
  return { answer, log, acts: acts.length };
}

Deno.test("an authenticated caller gets the status of the fleet", async () => {
  const { answer, acts } = await ask({});
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(JSON.parse(answer.body), STOPPED);
  assert.equal(answer.headers["content-type"], "application/json");
  assert.equal(acts, 1);
});

Deno.test("an unauthenticated caller learns nothing, and nothing is done; the log has the reason", async () => {
  const { answer, log, acts } = await ask({ signed: false });
  assert.deepEqual(answer, {
    statusCode: 401,
    headers: { "cache-control": "no-store" },
    cookies: [],
    isBase64Encoded: false,
    body: "",
  });
  assert.equal(acts, 0);
  assert.deepEqual(log.notes.map(({ level, message }) => [level, message]), [["warn", "call refused"]]);
});

Deno.test("the revocation list is not read for an unauthenticated call", async () => {
  const { answer } = await ask({ signed: false, revocation: () => assert.fail("asked for the list") });
  assert.equal(answer.statusCode, 401);
});

Deno.test("a client outside clients.allow gets the same answer as a stranger; the log has the reason", async () => {
  const stranger = await ask({ signed: false });
  const { answer, log, acts } = await ask({ findEntry: () => undefined });
  assert.deepEqual(answer, stranger.answer);
  assert.equal(acts, 0);
  assert.match(String(log.notes[0]?.fields["error"]), /clients\.allow does not name "test-client" \(serial/);
});

Deno.test("servers in use are a regular answer, not an error of the function", async () => {
  const act = () =>
    Promise.reject(new CloudError("in_use", "Cannot stop the servers: 2 agents are connected"));
  const { answer, log } = await ask({ act });
  assert.equal(answer.statusCode, 409);
  assert.deepEqual(log.notes.map(({ level, message }) => [level, message]), [["info", "call answered"]]);
});

Deno.test("a caller with another method learns the right one", async () => {
  const { answer, acts } = await ask({ method: "GET" });
  assert.equal(answer.statusCode, 405);
  assert.equal(answer.headers["allow"], "POST");
  assert.equal(acts, 0);
});

Deno.test("a client that calls too often has to wait, and others are still accepted", async () => {
  const now = Date.now();
  const clock = { now: () => now, wallTime: () => now, after: () => () => {} };
  const other = await pki.identity(await pki.clientKey({ commonName: "other" }));
  const handler = httpFunction({
    action: "wake",
    method: "POST",
    clock,
    log: new LogNotes(),
    maxCalls: 20,
    trust: {
      authorities: identity.authorities,
      revocation: () => Promise.resolve(undefined),
      expiredReason: () => undefined,
    },
    act: () => Promise.resolve(STOPPED),
  });
  const call = async (who: typeof identity, method: "GET" | "POST") => {
    const url = new URL(`https://${HOST}/`);
    const authorization = `Bearer ${await signCall({ action: "wake", method, url, now }, who)}`;
    return await handler(urlEvent({ method, host: HOST, authorization }), context) as HttpAnswer;
  };
  for (let count = 0; count < 20; count++) assert.equal((await call(identity, "GET")).statusCode, 405);
  for (let count = 0; count < 10; count++) assert.equal((await call(identity, "POST")).statusCode, 200);
  const refused = await call(identity, "POST");
  assert.equal(refused.statusCode, 429);
  assert.equal(refused.headers["retry-after"], "60");
  assert.match(refused.body, /"throttled".*called too often/);
  assert.equal((await call(other, "POST")).statusCode, 200);
});

Deno.test("without its configured revocation list a function accepts no call, and gives no reason", async () => {
  const revocation = () => Promise.reject(new CloudError("not_allowed", "Cannot read the parameter /secret"));
  const { answer, acts } = await ask({ revocation });
  assert.equal(answer.statusCode, 503);
  assert.equal(answer.body, "");
  assert.equal(acts, 0);
});

Deno.test("with an expired list nothing is done, and only an authenticated caller learns the reason", async () => {
  const expired = "the revocation list of CN=Test CA expired";
  const good = await ask({ expired });
  assert.equal(good.answer.statusCode, 500);
  const message = `Cannot wake: ${expired}`;
  assert.deepEqual(JSON.parse(good.answer.body), { error: { code: "crl_ended", message } });
  const stranger = await ask({ expired, signed: false });
  assert.deepEqual([stranger.answer.statusCode, stranger.answer.body], [401, ""]);
  assert.deepEqual([good.acts, stranger.acts], [0, 0]);
  const { level, fields } = good.log.notes[0]!;
  assert.deepEqual([level, fields["code"], fields["error"]], ["error", "crl_ended", message]);
});

for (const [code, status] of Object.entries(FLEET_FAILURES) as [FleetFailureCode, number][]) {
  Deno.test(`a cloud that fails with ${code} is ${status}, with the reason`, async () => {
    const { answer } = await ask({ act: () => Promise.reject(new CloudError(code, "Cannot do it: reason")) });
    assert.equal(answer.statusCode, status);
    assert.deepEqual(JSON.parse(answer.body), { error: { code, message: "Cannot do it: reason" } });
    const mayPass = code === "throttled" || code === "unavailable";
    assert.equal(answer.headers["retry-after"], mayPass ? "5" : undefined);
  });
}

Deno.test("an event that is not a request is an error of the function", async () => {
  const handler = httpFunction({
    action: "wake",
    method: "POST",
    clock: systemClock,
    log: new LogNotes(),
    trust: {
      authorities: [],
      revocation: () => assert.fail("asked for the list"),
      expiredReason: () => undefined,
    },
    act: () => assert.fail("acted"),
  });
  await assert.rejects(handler({ source: "aws.events" }, context), /not a request to a Function URL/);
});
