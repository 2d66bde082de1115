/**
 * Purpose: whatever an agent with a valid certificate does to the server, it gets the violation's code and is
 * disconnected, and the traffic of another agent continues without losing a byte.
 */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { eventually } from "../../support/eventually.ts";
import { flood } from "../../support/mux/flood.ts";
import { honestTraffic, startEcho } from "../../support/attacks/honest_traffic.ts";
import { connectHostile } from "../../support/attacks/hostile_agent.ts";
import { naiveEncode } from "../../support/mux/naive_codec.ts";
import type { RawPeer } from "../../support/mux/raw_peer.ts";
import { type SilentTarget, startSilentTarget } from "../../support/origins/silent_target.ts";
import type { TcpOrigin } from "../../support/origins/tcp_origin.ts";
import { testBytes } from "../../support/test_bytes.ts";
import { within } from "../../support/within.ts";
import { health } from "../../support/programs/status.ts";

interface HostileAct {
  what: string;
  code: string;
  /** Nothing was sent before; the first message is part of the act. */
  greets?: boolean;
  do(peer: RawPeer, origin: TcpOrigin, silent: SilentTarget): void;
}

const json = (text: string) => naiveEncode(text);
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const violation = "protocol_violation";

const ACTS: HostileAct[] = [
  {
    what: "speaks HTTP",
    code: "frame_too_large",
    do: (p) => void p.sendBytes(text("GET / HTTP/1.1\r\n\r\n")),
  },
  {
    what: "announces 4 GiB of JSON",
    code: "frame_too_large",
    do: (p) => void p.sendBytes([255, 255, 255, 255, 0, 0, 0, 0]),
  },
  {
    what: "announces 4 GiB of body",
    code: "frame_too_large",
    do: (p) => void p.sendBytes([0, 0, 0, 2, 255, 255, 255, 255]),
  },
  {
    what: "says nothing as it should be",
    code: violation,
    greets: false,
    do: (p) => void p.send("ping", { nonce: 1 }),
  },
  {
    what: "is of another version",
    code: "version_unsupported",
    greets: false,
    do: (p) => p.hello({ version: 1 }),
  },
  { what: "greets twice", code: violation, do: (p) => p.hello() },
  { what: "sends what is no JSON", code: violation, do: (p) => void p.sendBytes(json("{]")) },
  {
    what: "sends what is no UTF-8",
    code: violation,
    do: (p) => void p.sendBytes(naiveEncode([0x22, 0xff, 0x22])),
  },
  { what: "nests arrays 10,000 deep", code: violation, do: (p) => void p.sendBytes(json(nested(10_000))) },
  { what: "nests arrays 130,000 deep", code: violation, do: (p) => void p.sendBytes(json(nested(130_000))) },
  {
    what: "hides a payload in a prototype",
    code: violation,
    do: (p) => void p.sendBytes(json('{"type":"ping","payload":{"__proto__":{"nonce":1},"constructor":1}}')),
  },
  {
    what: "opens a stream of the server's",
    code: violation,
    do: (p, { port }) => void p.send("connect_request", { stream: 2, host: "127.0.0.1", port }),
  },
  {
    what: "opens a stream twice",
    code: violation,
    do: (p, { port }) => {
      p.send("connect_request", { stream: 1, host: "127.0.0.1", port });
      p.send("connect_request", { stream: 1, host: "127.0.0.1", port });
    },
  },
  {
    what: "writes to a stream that is none",
    code: violation,
    do: (p) => void p.send("connect_data", { stream: 99 }),
  },
  {
    what: "acknowledges what was never sent",
    code: violation,
    do: (p) => void p.send("ack", { bytes: 1e9 }),
  },
  {
    what: "opens a stream too far ahead",
    code: violation,
    do: (p, { port }) => void p.send("connect_request", { stream: 65_539, host: "127.0.0.1", port }),
  },
  {
    what: "numbers a message too far ahead",
    code: violation,
    do: (p, { port }) => {
      p.send("connect_request", { stream: 1, host: "127.0.0.1", port });
      p.send("connect_data", { stream: 1, n: 8_193 });
    },
  },
  {
    what: "numbers two messages alike",
    code: violation,
    do: (p, { port }) => {
      p.send("connect_request", { stream: 1, host: "127.0.0.1", port });
      p.send("connect_data", { stream: 1, n: 5 }, [1]);
      p.send("connect_data", { stream: 1, n: 5 }, [1, 2]);
    },
  },
  { what: "sends a body with a ping", code: violation, do: (p) => void p.send("ping", { nonce: 1 }, [1]) },
  {
    what: "ignores its window",
    code: "flow_control_violation",
    do: (p, _, { host }) => {
      // A target that does not answer gives no credit back.
      p.send("connect_request", { stream: 1, host: "127.0.0.1", port: Number(host.split(":")[1]) });
      for (let i = 0; i < 3; i++) p.send("connect_data", { stream: 1 }, testBytes(131_072));
    },
  },
  {
    what: "gives more credit than there may be",
    code: "flow_control_violation",
    do: (p, { port }) => {
      p.send("connect_request", { stream: 1, host: "127.0.0.1", port });
      p.send("window", { stream: 1, total: 16_777_217 });
    },
  },
  {
    what: "opens and resets as fast as it can",
    code: "limit_reached",
    do: (p, { port }) =>
      flood(p, 12_000, (index) => [
        ["connect_request", { stream: 2 * index + 1, host: "127.0.0.1", port }],
        ["reset", { stream: 2 * index + 1, code: "cancelled" }],
      ]),
  },
  {
    what: "sends pings without end",
    code: "limit_reached",
    do: (p) => flood(p, 60_000, () => [["ping", { nonce: 1 }]]),
  },
];

function text(of: string): Uint8Array {
  return new TextEncoder().encode(of);
}

/** A link whose `hello`, with these members, was answered. */
async function greet(chain: Chain, hello: object): Promise<RawPeer> {
  const peer = await connectHostile(chain);
  peer.hello(hello);
  await peer.next("hello");
  return peer;
}

Deno.test("a hostile agent gets a code and is disconnected, and an honest one loses nothing", async (test) => {
  await using chain = await Chain.start();
  await using origin = startEcho();
  using silent = await startSilentTarget();
  const honest = honestTraffic(chain, origin.host);
  for (const act of ACTS) {
    const { greets = true, what, code } = act;
    for (const links of greets ? [1, 2] : [0]) {
      const where = ["", "", " by a second link"][links];
      await test.step(`one that ${what}${where} gets ${code}`, async () => {
        const before = honest.rounds();
        const peers: RawPeer[] = [];
        const session = crypto.randomUUID().replaceAll("-", "");
        for (const join of [false, true].slice(0, links)) peers.push(await greet(chain, { session, join }));
        const peer = peers.at(-1) ?? await connectHostile(chain);
        act.do(peer, origin, silent);
        for (const each of new Set([...peers, peer])) {
          const goaway = await each.next("goaway", 20_000);
          assert.equal(goaway.payload.code, code, goaway.payload.message);
          each.close();
          await within(10_000, each.closed, "the server closes");
        }
        await eventually("honest traffic continues", () => assert.ok(honest.rounds() > before + 1));
      });
    }
  }
  assert.ok(await honest.stop() > ACTS.length);
  await eventually("only the honest agent is connected", async () => {
    assert.equal((await health(chain)).agents, 1);
  });
  await chain.finish();
});
