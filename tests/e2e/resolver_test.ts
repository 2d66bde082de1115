/**
 * Purpose: whatever the server's resolver does, it is borne: silent, broken, changing its answers between look-ups,
 * answering with forbidden addresses beside others, and asked by more streams than it can bear.
 */
import assert from "node:assert/strict";
import { doorsFor, knock } from "../support/doors.ts";
import { eventually } from "../support/eventually.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { startInnerChain } from "../support/inner_chain.ts";
import { RawClient } from "../support/raw_client.ts";
import { startTcpOrigin } from "../support/tcp_origin.ts";

/** Look-ups that one client may have under way: half of what the server bears. */
const HALF = 128;

const found = (...addresses: string[]) => Promise.resolve(addresses.map((address) => ({ address })));

/** Asks at every door; returns statuses of HTTP and the reply of SOCKS5. */
async function knockAtAll(proxyPort: number, host: string, port: number) {
  const answers = await Promise.all(doorsFor(host).map((door) => knock(proxyPort, door, host, port)));
  return { codes: answers.map(({ status, reply }) => status ?? reply), text: answers[0]!.text };
}

Deno.test("a resolver that never answers is given up with 504 and dns_timeout", async () => {
  await using chain = await startInnerChain(() => new Promise(() => {}));
  const { codes, text } = await knockAtAll(chain.proxyPort, "slow.example", 80);
  assert.deepEqual(codes, [504, 504, 504, 4]);
  assert.match(text, /Proxy-Status: sallyport; error=dns_timeout; .*slow\.example/);
});

Deno.test("a resolver that fails is told with 502 and dns_error", async () => {
  await using chain = await startInnerChain(() =>
    Promise.reject(Object.assign(new Error(), { code: "ESERVFAIL" }))
  );
  const { codes, text } = await knockAtAll(chain.proxyPort, "broken.example", 80);
  assert.deepEqual(codes, [502, 502, 502, 4]);
  assert.match(text, /Proxy-Status: sallyport; error=dns_error; .*broken\.example/);
});

Deno.test("a name that changes its address after it was judged gains nothing", async () => {
  await using open = startHttpOrigin(() => new Response("open"));
  await using closed = startTcpOrigin(() => Promise.resolve(), "127.0.0.2");
  let lookups = 0;
  const lookup = () => lookups++ % 2 === 0 ? found("127.0.0.1") : found("127.0.0.2");
  await using chain = await startInnerChain(lookup, "127.0.0.1");
  const first = await knock(chain.proxyPort, "absolute", "rebind.example", open.port);
  assert.deepEqual([first.status, lookups], [200, 1], "one look-up serves judging and dialling");
  const second = await knock(chain.proxyPort, "connect", "rebind.example", closed.port);
  assert.deepEqual([second.status, lookups], [403, 2]);
  assert.doesNotMatch(second.text, /127\.0\.0\./);
  const third = await knock(chain.proxyPort, "connect", "rebind.example", closed.port);
  assert.deepEqual(
    [third.status, lookups],
    [502, 3],
    "the allowed address, where nobody listens on this port",
  );
  assert.equal(closed.accepted, 0);
});

Deno.test("of a name's addresses only those are dialled that are allowed", async () => {
  await using closed = startTcpOrigin(() => Promise.resolve(), "127.0.0.2");
  await using chain = await startInnerChain(() => found("127.0.0.2", "127.0.0.1", "10.0.0.1"), "127.0.0.1");
  const { codes } = await knockAtAll(chain.proxyPort, "mixed.example", closed.port);
  assert.deepEqual(codes, [502, 502, 502, 5], "refused by the allowed address");
  assert.equal(closed.accepted, 0);
});

Deno.test("more slow look-ups of a client than the server can bear are refused with 503, and addresses still work", async () => {
  await using origin = startHttpOrigin(() => new Response("open"));
  const asked: ((found: { address: string }[]) => void)[] = [];
  const all = Promise.withResolvers<void>();
  const lookup = () =>
    new Promise<{ address: string }[]>((resolve) => {
      if (asked.push(resolve) === HALF) all.resolve();
    });
  await using chain = await startInnerChain(lookup, "127.0.0.1");
  const clients = Array.from({ length: HALF }, (_, i) => {
    const client = new RawClient(chain.proxyPort);
    const target = i % 2 === 0 ? `CONNECT slow-${i}.example:80` : `GET http://slow-${i}.example/`;
    client.send(`${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    return client;
  });
  await all.promise;
  const one = await knock(chain.proxyPort, "connect", "one-more.example", 80);
  assert.equal(one.status, 503, one.text);
  assert.match(
    one.text,
    /limit_reached: Cannot resolve one-more\.example: 128 look-ups of names are under way for this client/,
  );
  assert.equal((await knock(chain.proxyPort, "absolute", "127.0.0.1", origin.port)).status, 200);
  await Promise.all(clients.map((client) => client.close()));
  for (const answer of asked) answer([]);
  const again = knock(chain.proxyPort, "connect", "again.example", 80);
  await eventually("the look-up", () => assert.equal(asked.length, HALF + 1));
  asked[HALF]!([]);
  assert.equal((await again).status, 502, "there is room again");
});
