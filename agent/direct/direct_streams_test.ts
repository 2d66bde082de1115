import assert from "node:assert/strict";
import { eventually } from "../../tests/support/eventually.ts";
import { responseOf } from "../../tests/support/origins/forwarding.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { readUntil, socketClosed, SocketOrigin } from "../../tests/support/origins/socket_origin.ts";
import { within } from "../../tests/support/within.ts";
import type { SallyportError } from "../../shared/errors.ts";
import { MemoryBudget } from "../../shared/mux/flow/memory_budget.ts";
import type { MuxStream } from "../../shared/mux/stream/stream.ts";
import { OwnPorts } from "../../shared/egress/rules/own_ports.ts";
import { DirectStreams } from "./direct_streams.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

interface Scene {
  readonly direct: DirectStreams;
  readonly origin: SocketOrigin;
  readonly clock: ManualClock;
  readonly ownPorts: OwnPorts;
}

/** Runs `body` with direct streams to an origin, and asserts that nothing is left. */
async function scene(body: (scene: Scene) => Promise<void>): Promise<void> {
  await using origin = await SocketOrigin.start();
  const clock = new ManualClock();
  const budget = new MemoryBudget(1_000_000);
  const ownPorts = new OwnPorts();
  const lookup = () => Promise.resolve([{ address: "127.0.0.1" }]);
  const direct = new DirectStreams({
    clock,
    log: silent,
    budget,
    ownPorts,
    lookup,
    blockOf: () => undefined,
  });
  await body({ direct, origin, clock, ownPorts });
  await within(5_000, direct.drain(1_000), "the streams are drained");
  await eventually("the sockets of closed streams are closed", () => {
    assert.deepEqual([direct.streamCount, clock.timers, budget.held.total], [0, 0, 0]);
  });
}

function connectTo({ direct, origin }: Scene, bytes?: Uint8Array): Promise<MuxStream> {
  const payload = { host: "wiki.example", port: origin.port };
  return direct.openStream({ type: "connect_request", payload }, bytes === undefined ? {} : { bytes });
}

function closedOf(stream: MuxStream): Promise<SallyportError | undefined> {
  const closed = Promise.withResolvers<SallyportError | undefined>();
  stream.listen({ closed: closed.resolve });
  return within(5_000, closed.promise, "the stream is closed");
}

Deno.test("direct streams connect to a target, and each direction ends on its own", async () => {
  await scene(async (all) => {
    const stream = await connectTo(all, new TextEncoder().encode("early"));
    const socket = await all.origin.next();
    assert.equal(await readUntil(socket, (text) => text === "early"), "early");
    stream.end();
    const answer = responseOf(stream);
    await new Promise((resolve) => socket.once("end", resolve));
    socket.end("after the client's end");
    assert.equal((await answer).text, "after the client's end");
  });
});

Deno.test("direct streams send requests over a kept connection, with trailers both ways", async () => {
  await scene(async ({ direct, origin }) => {
    const payload = {
      ...{ method: "POST", path: "/", host: "wiki.example", port: origin.port },
      headers: ["Host", "wiki.example", "Transfer-Encoding", "chunked", "Trailer", "X-Sum"],
    };
    const sockets = origin.accepted;
    for (const round of ["one", "two"]) {
      const stream = await direct.openStream({ type: "http_request", payload });
      stream.write(new TextEncoder().encode(round));
      stream.end(["X-Sum", "3"]);
      const answer = responseOf(stream);
      if (origin.accepted === sockets) {
        const socket = await origin.next();
        let seen = "";
        socket.on("data", (bytes: Uint8Array) => {
          seen += new TextDecoder().decode(bytes);
          if (!seen.includes("X-Sum: 3\r\n\r\n")) return;
          const [, body] = /\r\n3\r\n(\w+)\r\n/.exec(seen)!;
          seen = "";
          socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
          socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n");
          socket.write(`${body!.length}\r\n${body}\r\n0\r\nX-T: yes\r\n\r\n`);
        });
      }
      const { text, messages, trailers } = await answer;
      const statuses = messages.map(({ payload }) => (payload as { status: number }).status);
      assert.deepEqual([text, statuses, trailers], [round, [103, 200], ["X-T", "yes"]]);
    }
    assert.equal(origin.accepted, sockets + 1, "the connection was kept");
  });
});

Deno.test("direct streams report errors with their code, as local ones", async () => {
  await scene(async ({ direct, origin, ownPorts }) => {
    ownPorts.add(origin.port);
    for (
      const [host, port, code, words] of [
        ["127.0.0.1", 1, "target_refused", /connect to 127\.0\.0\.1:1/],
        ["wiki.example", origin.port, "target_denied", /the agent's own ports are refused/],
        ["a..b", 80, "bad_request", /not a host name or IP address/],
      ] as const
    ) {
      const stream = await direct.openStream({ type: "connect_request", payload: { host, port } });
      stream.end();
      assert.equal(stream.isLocal, true);
      const [message] = (await responseOf(stream)).messages;
      const { error } = message!.payload as { error: { code: string; message: string } };
      assert.equal(error.code, code);
      assert.match(error.message, words);
    }
    assert.equal(origin.accepted <= 1, true, "a connection to an own port is left at once");
  });
});

Deno.test("a client that disconnects closes the connection to the target, also a pending one", async () => {
  await scene(async (all) => {
    const stream = await connectTo(all);
    const socket = await all.origin.next();
    const closed = socketClosed(socket);
    stream.reset("cancelled", "the client went away");
    await closed;
    (await connectTo(all)).reset("cancelled", "the client went away");
  });
});

Deno.test("a silent stream ends after ten minutes", async () => {
  await scene(async (all) => {
    const stream = await connectTo(all);
    await all.origin.next();
    const answered = Promise.withResolvers<void>();
    stream.listen({ message: () => answered.resolve() });
    stream.resume();
    await within(5_000, answered.promise, "the answer");
    const closed = closedOf(stream);
    all.clock.advance(600_001);
    const error = await closed;
    assert.deepEqual([error?.code, error?.at], ["idle_timeout", "here"]);
  });
});

Deno.test("drain lets streams end, accepts none, and closes the rest", async () => {
  await scene(async (all) => {
    const [first, second] = [await connectTo(all), await connectTo(all)];
    const sockets = [await all.origin.next(), await all.origin.next()];
    const cut = closedOf(second);
    let isDrained = false;
    const drained = all.direct.drain(1_000).then(() => isDrained = true);
    await assert.rejects(connectTo(all), { code: "going_away", at: "here" });
    const answer = responseOf(first);
    first.end();
    for (const socket of sockets) socket.once("end", () => socket.end("last words"));
    assert.equal((await answer).text, "last words");
    assert.equal(isDrained, false);
    all.clock.advance(1_001);
    await within(5_000, drained, "the streams are drained");
    assert.equal((await cut)?.code, "going_away");
  });
});
