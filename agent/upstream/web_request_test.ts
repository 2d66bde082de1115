import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../../tests/support/byte_reader.ts";
import { startHttpOrigin } from "../../tests/support/origins/http_origin.ts";
import { servingCertificate } from "../../tests/support/pki/serving_certificate.ts";
import { startTcpOrigin } from "../../tests/support/origins/tcp_origin.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { webRequest } from "./web_request.ts";

const LIMITS = { method: "POST", timeoutMs: 5_000, maxBytes: 1_000 } as const;

Deno.test("webRequest returns status, headers and body, with any status", async () => {
  await using origin = startHttpOrigin((request) => {
    const { method, headers } = request;
    return new Response(`${method} ${headers.get("x-mine")}`, {
      status: 429,
      headers: { "retry-after": "7" },
    });
  });
  const url = new URL(`http://${origin.host}/a`);
  const answer = await webRequest({ ...LIMITS, url, headers: { "x-mine": "1" } });
  assert.deepEqual([answer.status, answer.body, answer.headers["retry-after"]], [429, "POST 1", "7"]);
});

Deno.test("webRequest ignores the proxy variables of the environment", async () => {
  await using proxy = startHttpOrigin(() => new Response("from the proxy"));
  await using origin = startHttpOrigin(() => new Response("from the origin"));
  for (const name of ["HTTP_PROXY", "http_proxy"]) Deno.env.set(name, `http://${proxy.host}`);
  try {
    const { body } = await webRequest({ ...LIMITS, url: new URL(`http://${origin.host}/`) });
    assert.equal(body, "from the origin");
  } finally {
    for (const name of ["HTTP_PROXY", "http_proxy"]) Deno.env.delete(name);
  }
});

Deno.test("webRequest ends at its deadline, before and during the response", async () => {
  const hanging = Promise.withResolvers<Response>();
  let body: ReadableStreamDefaultController | undefined;
  await using origin = startHttpOrigin((request) =>
    request.url.endsWith("/head")
      ? hanging.promise
      : new Response(new ReadableStream({ start: (controller) => void (body = controller) }))
  );
  for (const path of ["head", "body"]) {
    const url = new URL(`http://${origin.host}/${path}`);
    const asked = webRequest({ ...LIMITS, url, timeoutMs: 100 });
    await assert.rejects(
      asked,
      withReason("tunnel_down", /^Cannot ask http:\S+: no whole answer in 0\.1 s$/),
    );
  }
  hanging.resolve(new Response());
  assert.ok(body !== undefined);
});

Deno.test("webRequest refuses an endless response, and ends when cancelled", async () => {
  await using origin = startHttpOrigin(() => new Response("x".repeat(1_001)));
  const url = new URL(`http://${origin.host}/`);
  await assert.rejects(webRequest({ ...LIMITS, url }), withReason("tunnel_down", /longer than 1000 bytes/));
  const stop = new AbortController();
  const asked = webRequest({ ...LIMITS, url, signal: stop.signal });
  stop.abort();
  await assert.rejects(asked, withReason("cancelled", /no longer needed/));
});

Deno.test("webRequest refuses endless interim responses", async () => {
  await using origin = startTcpOrigin(async (connection) => {
    await new ByteReader(connection).head();
    for (;;) await writeAll(connection, "HTTP/1.1 102 Processing\r\n\r\n");
  });
  const url = new URL(`http://${origin.host}/`);
  await assert.rejects(
    webRequest({ ...LIMITS, url }),
    withReason("tunnel_down", /more than 32 interim answers$/),
  );
});

Deno.test("webRequest reports why nothing answers", async () => {
  const origin = startHttpOrigin(() => new Response());
  const url = new URL(`http://${origin.host}/`);
  await origin[Symbol.asyncDispose]();
  await assert.rejects(webRequest({ ...LIMITS, url }), withReason("tunnel_down", /ECONNREFUSED/));
});

Deno.test("webRequest trusts only public root CAs", async () => {
  const tls = await servingCertificate();
  await using origin = startHttpOrigin(() => new Response(), tls);
  const url = new URL(`https://localhost:${origin.port}/`);
  await assert.rejects(
    webRequest({ ...LIMITS, url }),
    withReason("tunnel_down", /^Cannot ask https:.*unable to verify/),
  );
});

Deno.test("webRequest through a proxy still verifies the certificate", async () => {
  const tls = await servingCertificate();
  await using origin = startHttpOrigin(() => new Response(), tls);
  const asked: string[] = [];
  await using proxy = startTcpOrigin(async (client) => {
    const head = new Uint8Array(4_096);
    const count = await client.read(head) ?? 0;
    asked.push(new TextDecoder().decode(head.subarray(0, count)).split("\r\n")[0]!);
    await client.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
    using target = await Deno.connect({ hostname: "127.0.0.1", port: origin.port });
    const [up, down] = [client.readable.pipeTo(target.writable), target.readable.pipeTo(client.writable)];
    await Promise.allSettled([up, down]);
  });
  const url = new URL(`https://localhost:${origin.port}/`);
  const via = { url: new URL(`http://${proxy.host}`), authorization: undefined };
  await assert.rejects(webRequest({ ...LIMITS, url, via }), withReason("tunnel_down", /unable to verify/));
  assert.deepEqual(asked, [`CONNECT localhost:${origin.port} HTTP/1.1`]);
});

Deno.test("webRequest over http uses a proxy in absolute form, with user and password", async () => {
  await using proxy = startHttpOrigin((request) =>
    new Response(`${request.url} ${request.headers.get("proxy-authorization")}`)
  );
  const via = { url: new URL(`http://${proxy.host}`), authorization: "Basic YTpi" };
  const { body } = await webRequest({ ...LIMITS, url: new URL("http://site.example/a?b"), via });
  assert.equal(body, "http://site.example/a?b Basic YTpi");
});
