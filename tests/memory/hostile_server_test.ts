/**
 * Purpose: a server, or a target behind it, that sends single bytes to clients that do not read costs the agent a
 * bounded amount of memory.
 */
import assert from "node:assert/strict";
import { SocketTransport } from "../../shared/net/socket_transport.ts";
import { loadIdentity } from "../../shared/pki/identity/identity.ts";
import { Chain } from "../support/programs/chain.ts";
import { eventually } from "../support/eventually.ts";
import { MemoryWatch, NO_PROCESS_MEMORY } from "../support/process_stats.ts";
import { RawPeer } from "../support/mux/raw_peer.ts";
import { TestListener } from "../support/pki/tls_pair.ts";
import { openTunnel, type Tunnel } from "../support/clients/tunnel_client.ts";

/** MiB of the agent. */
const MOST = 256;
const TUNNELS = 4;
/** Bytes of a frame while the kernel's buffers are filled. */
const LARGE = 16_384;
/** Round trips without credit after which they count as full. */
const PINGS = 100;
/** Single bytes of each tunnel, sent once those buffers are full. */
const SINGLE = 150_000;
/** Frames of one write. */
const BLOCK = 10_000;
const ignore = NO_PROCESS_MEMORY !== undefined;

/** The server's end of a tunnel. */
class FarTunnel {
  #sent = 0;

  constructor(
    readonly peer: RawPeer,
    readonly stream: number,
    readonly window: number,
    readonly client: Tunnel,
  ) {}

  /** Bytes that may be sent now. */
  get credit(): number {
    const last = this.peer.all("window").findLast(({ payload }) => payload.stream === this.stream);
    return (last?.payload.total ?? this.window) - this.#sent;
  }

  /** Sends large frames until the agent gives no further credit: its socket to the client is full. */
  async fill(): Promise<void> {
    const body = new Uint8Array(LARGE);
    for (let idle = 0; idle < PINGS; idle++) {
      for (let credit = this.credit; credit >= LARGE; credit -= LARGE) {
        this.peer.send("connect_data", { stream: this.stream }, body);
        this.#sent += LARGE;
        idle = 0;
      }
      await this.peer.settled(idle + 1);
    }
  }

  /** The client reads as much as gives credit for the single bytes, and no more. */
  async makeRoom(): Promise<void> {
    await eventually("there is credit for single bytes", async () => {
      if (this.credit < SINGLE) await this.client.reader.some();
      assert.ok(this.credit >= SINGLE, `${this.credit}`);
    }, 20_000);
  }

  /** Sends single bytes. */
  async trickle(): Promise<void> {
    const { stream } = this;
    for (let sent = 0; sent < SINGLE; sent += BLOCK) {
      const frames = Array.from({ length: BLOCK }, () => this.peer.encode("connect_data", { stream }, [7]));
      this.peer.sendBytes(frames.flat());
      await this.peer.settled(sent + 1);
    }
  }
}

Deno.test({
  name: `single bytes from a server to clients that do not read cost the agent little${
    ignore ? ` (${NO_PROCESS_MEMORY})` : ""
  }`,
  ignore,
  async fn() {
    await using chain = await Chain.prepare();
    const file = (name: string) => ({ file: `${chain.dir}/certs/${name}` });
    const source = { cert: file("server.crt"), key: file("server.key"), ca: file("ca.crt") };
    await using listener = await TestListener.start(await loadIdentity(source, "serverAuth"));
    chain.serverPort = listener.listener.address.port;
    const accepted = listener.accepted();
    await chain.startAgent();
    const peer = new RawPeer(new SocketTransport((await accepted).socket));
    peer.hello();
    const { payload: { window } } = await peer.next("hello");
    await using watch = new MemoryWatch({ agent: chain.agent.process.pid });
    using tunnels = new DisposableStack();
    for (let index = 0; index < TUNNELS; index++) {
      const opened = openTunnel(chain.proxyPort, "target.test:443");
      const { payload: { stream } } = await peer.next("connect_request");
      peer.send("connect_ack", { stream });
      const far = new FarTunnel(peer, stream, window, tunnels.use(await opened));
      await far.fill();
      await far.makeRoom();
      await far.trickle();
    }
    const highest = await watch.stop();
    assert.ok(highest["agent"]! < MOST, `${highest["agent"]} MiB`);
    assert.equal(peer.all("reset").length, 0, "no tunnel was reset");
    tunnels.dispose();
    assert.equal((await chain.agent.stop()).code, 0);
  },
});
