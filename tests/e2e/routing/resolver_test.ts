/**
 * Purpose: the server copes with its resolver: silent, broken, with changing answers, with forbidden addresses among
 * others, and with more lookups than the limit.
 */
import assert from "node:assert/strict";
import { requestFormsFor, sendRequest, withoutGuide } from "../../support/programs/proxy_request.ts";
import { eventually } from "../../support/eventually.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { startInProcessChain } from "../../support/programs/in_process_chain.ts";
import { RawClient } from "../../support/clients/raw_client.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";

/** Concurrent lookups of one client: half of the server's limit. */
const HALF = 128;

const found = (...addresses: string[]) => Promise.resolve(addresses.map((address) => ({ address })));

/** Requests a host in every request form; returns statuses of HTTP and the reply of SOCKS5. */
async function knockAtAll(proxyPort: number, host: string, port: number) {
  const answers = await Promise.all(
    requestFormsFor(host).map((form) => sendRequest(proxyPort, form, host, port)),
  );
  return { codes: answers.map(({ status, reply }) => status ?? reply), text: answers[0]!.text };
}

Deno.test("a resolver that never answers gets 504 and dns_timeout", async () => {
  await using chain = await startInProcessChain(() => new Promise(() => {}));
  const { codes, text } = await knockAtAll(chain.proxyPort, "slow.example", 80);
  assert.deepEqual(codes, [504, 504, 504, 4]);
  assert.match(text, /Proxy-Status: sallyport; error=dns_timeout; .*slow\.example/);
});

Deno.test("a failing resolver gets 502 and dns_error", async () => {
  await using chain = await startInProcessChain(() =>
    Promise.reject(Object.assign(new Error(), { code: "ESERVFAIL" }))
  );
  const { codes, text } = await knockAtAll(chain.proxyPort, "broken.example", 80);
  assert.deepEqual(codes, [502, 502, 502, 4]);
  assert.match(text, /Proxy-Status: sallyport; error=dns_error; .*broken\.example/);
});

Deno.test("a name that changes its address after the check gains nothing", async () => {
  await using open = startHttpOrigin(() => new Response("open"));
  await using closed = startTcpOrigin(() => Promise.resolve(), "127.0.0.2");
  let lookups = 0;
  const lookup = () => lookups++ % 2 === 0 ? found("127.0.0.1") : found("127.0.0.2");
  await using chain = await startInProcessChain(lookup, "127.0.0.1");
  const first = await sendRequest(chain.proxyPort, "absolute", "rebind.example", open.port);
  assert.deepEqual([first.status, lookups], [200, 1], "one lookup serves checking and dialling");
  const second = await sendRequest(chain.proxyPort, "connect", "rebind.example", closed.port);
  assert.deepEqual([second.status, lookups], [403, 2]);
  assert.doesNotMatch(withoutGuide(second.text), /127\.0\.0\./);
  const third = await sendRequest(chain.proxyPort, "connect", "rebind.example", closed.port);
  assert.deepEqual(
    [third.status, lookups],
    [502, 3],
    "the allowed address, where nothing listens on this port",
  );
  assert.equal(closed.accepted, 0);
});

Deno.test("only allowed addresses of a name are dialled", async () => {
  await using closed = startTcpOrigin(() => Promise.resolve(), "127.0.0.2");
  await using chain = await startInProcessChain(
    () => found("127.0.0.2", "127.0.0.1", "10.0.0.1"),
    "127.0.0.1",
  );
  const { codes } = await knockAtAll(chain.proxyPort, "mixed.example", closed.port);
  assert.deepEqual(codes, [502, 502, 502, 5], "refused by the allowed address");
  assert.equal(closed.accepted, 0);
});

Deno.test("slow lookups over a client's limit are refused with 503, and addresses still work", async () => {
  await using origin = startHttpOrigin(() => new Response("open"));
  const asked: ((found: { address: string }[]) => void)[] = [];
  const all = Promise.withResolvers<void>();
  const lookup = () =>
    new Promise<{ address: string }[]>((resolve) => {
      if (asked.push(resolve) === HALF) all.resolve();
    });
  await using chain = await startInProcessChain(lookup, "127.0.0.1");
  const clients = Array.from({ length: HALF }, (_, i) => {
    const client = new RawClient(chain.proxyPort);
    const target = i % 2 === 0 ? `CONNECT slow-${i}.example:80` : `GET http://slow-${i}.example/`;
    client.send(`${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    return client;
  });
  await all.promise;
  const one = await sendRequest(chain.proxyPort, "connect", "one-more.example", 80);
  assert.equal(one.status, 503, one.text);
  assert.match(
    one.text,
    /limit_reached: Cannot resolve one-more\.example: too many name lookups at once for this client \(128\)/,
  );
  assert.equal((await sendRequest(chain.proxyPort, "absolute", "127.0.0.1", origin.port)).status, 200);
  await Promise.all(clients.map((client) => client.close()));
  for (const answer of asked) answer([]);
  const again = sendRequest(chain.proxyPort, "connect", "again.example", 80);
  await eventually("the lookup", () => assert.equal(asked.length, HALF + 1));
  asked[HALF]!([]);
  assert.equal((await again).status, 502, "there is room again");
});
