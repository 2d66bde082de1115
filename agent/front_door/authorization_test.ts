/** Proxy authentication for all four protocols; credentials are not forwarded. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { answer } from "../../tests/support/clients/answer.ts";
import {
  type FixtureOptions,
  type FrontDoorFixture,
  withFrontDoor,
} from "../../tests/support/clients/front_door.ts";

const credentials = { user: "alice", password: "s3cret" };
const header = (text: string) => `Proxy-Authorization: Basic ${Buffer.from(text).toString("base64")}\r\n`;
const CORRECT = header("alice:s3cret");
const WRONG = ["", header("alice:S3cret"), header("bob:s3cret"), header("alice"), CORRECT + CORRECT];
const HOST = "Host: a.test\r\n";
const WEBSOCKET = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
/** Requests of the three HTTP protocols, without their last line. */
const REQUESTS = {
  connect: `CONNECT a.test:443 HTTP/1.1\r\n${HOST}`,
  http: `GET http://a.test/ HTTP/1.1\r\n${HOST}`,
  websocket: `GET http://a.test/ HTTP/1.1\r\n${HOST}${WEBSOCKET}`,
};
const CHALLENGE =
  /^HTTP\/1\.1 407 [^]*\r\nProxy-Authenticate: Basic realm="Sallyport proxy", charset="UTF-8"\r\n/;

/** Runs `test` with a front door that requires credentials, and records its log. */
function withCredentials(
  test: (fixture: FrontDoorFixture, logged: () => string) => Promise<void>,
  options: FixtureOptions = {},
): Promise<void> {
  const lines: unknown[] = [];
  const note = (...parts: unknown[]) => void lines.push(parts);
  const log = { debug: note, info: note, warn: note };
  return withFrontDoor(
    { credentials, log, ...options },
    (fixture) =>
      test(
        fixture,
        () =>
          JSON.stringify(lines, (_, value) =>
            value instanceof Error ? { ...value, message: value.message } : value),
      ),
  );
}

for (const [protocol, request] of Object.entries(REQUESTS)) {
  Deno.test(`${protocol} without the correct credentials gets 407 and opens no stream`, () =>
    withCredentials(async ({ client, refused, streamCount }, logged) => {
      for (const wrong of WRONG) {
        const near = client();
        near.send(`${request}${wrong}\r\n`);
        const head = await near.readTo("\r\n\r\n");
        assert.match(head, CHALLENGE);
        assert.match(head, /\r\nProxy-Status: sallyport; error=http_request_denied; /);
        assert.match(await near.readTo("What to do:"), /user name and a password/);
        assert.equal(streamCount(), 0);
        await near.close();
      }
      assert.deepEqual(refused.map((each) => each.protocol), WRONG.map(() => protocol));
      for (
        const secret of ["S3cret", "s3cret", CORRECT.slice(27, 40), header("alice:S3cret").slice(27, 40)]
      ) {
        assert.equal(logged().includes(secret), false, secret);
      }
    }));

  Deno.test(`${protocol} with the correct credentials is served, and they are not forwarded`, () =>
    withCredentials(async ({ client, nextStream }, logged) => {
      const near = client();
      near.send(`${request}${CORRECT}X: y\r\n\r\n`);
      const { opening } = await nextStream();
      const text = JSON.stringify(opening) + logged();
      assert.doesNotMatch(text, /proxy-auth|s3cret/i);
      assert.equal(text.includes(CORRECT.slice(27, 40)), false);
      if (opening.type !== "connect_request") assert.ok(opening.payload.headers.includes("X"));
    }));
}

Deno.test("plain requests on a kept connection each need the credentials", () =>
  withCredentials(async ({ client, nextStream, streamCount }) => {
    const near = client();
    const get = (extra: string) => near.send(`${REQUESTS.http}${extra}\r\n`);
    get("");
    assert.match(await near.readTo("\r\n\r\n"), CHALLENGE);
    await near.readTo("proxy settings\n");
    get(CORRECT);
    answer(await nextStream(), 200, ["Content-Length", "2"], "ok");
    await near.readTo("ok");
    get("");
    assert.match(await near.readTo("\r\n\r\n"), CHALLENGE);
    assert.equal(streamCount(), 0);
    await near.readTo("proxy settings\n");
    near.send(`${REQUESTS.connect}\r\n`);
    assert.match(await near.rest(), CHALLENGE);
    near.end();
  }));

Deno.test("Proxy-Authorization is not forwarded in any part of a request when no credentials are required", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    for (const request of [REQUESTS.http, REQUESTS.websocket, REQUESTS.connect]) {
      const near = client();
      near.send(`${request}PROXY-authorization: Basic eDp5\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n`);
      assert.doesNotMatch(JSON.stringify((await nextStream()).opening), /proxy-auth|eDp5/i);
    }
    const near = client();
    near.send("POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n");
    const far = await nextStream();
    near.send("0\r\nProxy-Authorization: Basic eDp5\r\nT: 1\r\n\r\n");
    await far.end();
    assert.deepEqual(far.trailers, ["T", "1"]);
  }));

const CONNECT = "\x05\x01\x00\x03\x06a.test\x01\xbb";
const login = (user: string, password: string) =>
  `\x01${String.fromCharCode(user.length)}${user}${String.fromCharCode(password.length)}${password}`;

Deno.test("SOCKS5 requires user name and password and serves clients that have them (RFC 1929)", () =>
  withCredentials(async ({ client, nextStream }, logged) => {
    for (const methods of ["\x05\x01\x02", "\x05\x03\x00\x01\x02"]) {
      const near = client();
      near.send(methods);
      assert.equal(await near.read(2), "\x05\x02");
      await near.trickle(login("alice", "s3cret"));
      assert.equal(await near.read(2), "\x01\x00");
      near.send(`${CONNECT}early`);
      const far = await nextStream();
      assert.deepEqual(far.opening, { type: "connect_request", payload: { host: "a.test", port: 443 } });
      assert.equal(await far.read(5), "early");
      far.stream.send({ type: "connect_ack", payload: {} });
      await near.read(10);
      await near.close("reset");
    }
    assert.equal(logged().includes("s3cret"), false);
  }));

Deno.test("SOCKS5 closes after a wrong user name or password, whatever follows (RFC 1929)", () =>
  withCredentials(async ({ client, refused, streamCount }, logged) => {
    const wrong = [
      ...[login("alice", "S3cret"), login("bob", "s3cret"), login("", ""), login("alice", "")],
      ...[login("alice:s3cret", ""), login("a".repeat(255), "b".repeat(255)), "\x05\x01\x00", "\x02"],
    ];
    for (const attempt of wrong) {
      const near = client();
      near.send(`\x05\x01\x02${attempt}${CONNECT}`);
      assert.equal(await near.rest(), "\x05\x02\x01\x01");
      assert.equal(near.outcome, "end");
      near.end();
    }
    assert.equal(streamCount(), 0);
    assert.deepEqual(refused.map(({ protocol }) => protocol), wrong.map(() => "socks5"));
    assert.equal(logged().includes("S3cret"), false);
  }));

Deno.test("SOCKS5 refuses a client that does not offer user name and password", () =>
  withCredentials(async ({ client, refused }) => {
    for (const methods of ["\x05\x01\x00", "\x05\x00", "\x05\x02\x00\x01"]) {
      const near = client();
      near.send(`${methods}${CONNECT}`);
      assert.equal(await near.rest(), "\x05\xff");
      near.end();
    }
    assert.equal(refused.length, 3);
  }));
