/**
 * Purpose: a tunnel to a host that was reached lately is answered before the server answers, and its bytes arrive whole.
 * If the target is not reached after all, the client's connection is reset and the next tunnel gets the refusal. New
 * hosts, `eager: false` and bypassed hosts wait for the target.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Lookup } from "../../../shared/egress/dial/resolve.ts";
import { eventually } from "../../support/eventually.ts";
import { RawClient } from "../../support/clients/raw_client.ts";
import { readUntil, SocketOrigin } from "../../support/origins/socket_origin.ts";
import { auditLines } from "../../support/programs/audit_lines.ts";
import { Chain } from "../../support/programs/chain.ts";
import { type InProcessAgent, startInProcessChain } from "../../support/programs/in_process_chain.ts";
import { agentStatus } from "../../support/programs/status.ts";
import { testBytes } from "../../support/test_bytes.ts";

const HOST = "a.example";

/** The ways to ask for a tunnel, and the answers. */
const KINDS = {
  CONNECT: {
    request: (host: string, port: number) => `CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    established: "HTTP/1.1 200 Connection established\r\n\r\n",
    refused: ["HTTP/1.1 502 "],
  },
  SOCKS5: {
    request: (host: string, port: number) =>
      Buffer.from([5, 1, 0, 5, 1, 0, 3, host.length, ...Buffer.from(host), port >> 8, port & 0xff])
        .toString("latin1"),
    established: "\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00",
    // Host unreachable, or connection refused.
    refused: ["\x05\x00\x05\x04", "\x05\x00\x05\x05"],
  },
};
type Kind = (typeof KINDS)[keyof typeof KINDS];

/** Looks up names as 127.0.0.1; a test can hold the answers, and so the connection to the target. */
class HeldLookup {
  #answer: PromiseWithResolvers<void> | undefined;
  asked = 0;

  readonly lookup: Lookup = async () => {
    this.asked++;
    await this.#answer?.promise;
    return [{ address: "127.0.0.1" }];
  };

  hold(): PromiseWithResolvers<void> {
    return this.#answer = Promise.withResolvers();
  }

  release(): void {
    this.#answer?.resolve();
    this.#answer = undefined;
  }
}

/** Opens a tunnel, and passes bytes both ways. */
async function reach(proxyPort: number, kind: Kind, host: string, origin: SocketOrigin): Promise<void> {
  const near = new RawClient(proxyPort);
  near.send(`${kind.request(host, origin.port)}ping`);
  const target = await origin.next();
  await readUntil(target, (text) => text === "ping");
  target.end("pong");
  assert.equal(await near.rest(), `${kind.established}pong`);
  await near.close();
}

function assertRefused(answer: string, { refused }: Kind): void {
  assert.ok(refused.some((start) => answer.startsWith(start)), answer);
}

/**
 * Asks for a tunnel while lookups are held, then lets them fail; asserts that the client gets the refusal, and so was
 * not answered before.
 */
async function assertWaits(
  proxyPort: number,
  kind: Kind,
  { held, host, port }: { held: HeldLookup; host: string; port: number },
): Promise<void> {
  const [{ reject }, before] = [held.hold(), held.asked];
  const near = new RawClient(proxyPort);
  near.send(kind.request(host, port));
  await eventually("the lookup", () => assert.equal(held.asked, before + 1));
  reject(Object.assign(new Error("not found"), { code: "ENOTFOUND" }));
  assertRefused(await near.rest(), kind);
  held.release();
  await near.close();
}

for (const [name, kind] of Object.entries(KINDS)) {
  Deno.test(`${name} to a host that was reached is answered before the server answers, and loses no byte`, async () => {
    const held = new HeldLookup();
    await using origin = await SocketOrigin.start();
    await using chain = await startInProcessChain(held.lookup, "127.0.0.1");
    await assertWaits(chain.proxyPort, kind, { held, host: HOST, port: origin.port });
    await reach(chain.proxyPort, kind, HOST, origin);

    held.hold();
    const near = new RawClient(chain.proxyPort);
    near.send(`${kind.request(HOST, origin.port)}early `);
    assert.equal(await near.read(kind.established.length), kind.established);
    assert.equal(origin.accepted, 1, "there is no connection to the target yet");
    // More than is sent before the answer: the rest waits in the client's socket.
    const body = Buffer.from(testBytes(1_000_000)).toString("latin1");
    near.send(body);
    held.release();
    const target = await origin.next();
    const got = await readUntil(target, (text) => text.length === 6 + body.length);
    assert.ok(got === `early ${body}`, "all bytes arrive, in order");
    target.end("answer");
    assert.equal(await near.rest(), "answer");
    assert.equal(near.outcome, "end");
    await near.close();
  });

  Deno.test(`${name} without eager, and to bypassed hosts, waits for the target`, async () => {
    const [server, own] = [new HeldLookup(), new HeldLookup()];
    await using origin = await SocketOrigin.start();
    const { port } = origin;
    const start = (inner: InProcessAgent) => startInProcessChain(server.lookup, "127.0.0.1", inner);
    {
      await using chain = await start({ environment: { SALLYPORT_EAGER: "false" } });
      await reach(chain.proxyPort, kind, HOST, origin);
      await assertWaits(chain.proxyPort, kind, { held: server, host: HOST, port });
    }
    await using chain = await start({ lookup: own.lookup, environment: { SALLYPORT_BYPASS: HOST } });
    await reach(chain.proxyPort, kind, HOST, origin);
    await assertWaits(chain.proxyPort, kind, { held: own, host: HOST, port });
  });

  Deno.test(`${name} to a host that has gone since it was reached is reset once, then refused`, async () => {
    await using chain = await Chain.start();
    const origin = await SocketOrigin.start();
    await reach(chain.proxyPort, kind, "127.0.0.1", origin);
    const { port } = origin;
    await origin[Symbol.asyncDispose]();

    const near = new RawClient(chain.proxyPort);
    near.send(kind.request("127.0.0.1", port));
    const text = await near.rest();
    // The reset may overtake the answer.
    assert.ok(text === kind.established || text === "" || text === "\x05\x00", text);
    assert.equal(near.outcome, "reset");
    await near.close();
    const next = new RawClient(chain.proxyPort);
    next.send(kind.request("127.0.0.1", port));
    assertRefused(await next.rest(), kind);
    await next.close();

    const { eager, reached_hosts, early_answers, early_failures } = await agentStatus(chain);
    assert.deepEqual(
      { eager, reached_hosts, early_answers, early_failures },
      { eager: true, reached_hosts: 0, early_answers: 1, early_failures: 1 },
    );
    const refusals = chain.agent.log.lines.filter(({ message }) => message === "request refused");
    assert.deepEqual(
      refusals.map(({ fields }) => [fields["code"], fields["answered_early"]]),
      [["target_refused", true], ["target_refused", undefined]],
    );
    const audited = await auditLines(chain, 3);
    assert.deepEqual(audited.map(({ outcome }) => outcome), ["ok", "target_refused", "target_refused"]);
    await chain.finish();
  });
}
