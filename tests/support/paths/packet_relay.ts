/**
 * Carries packets between two VXLAN devices, as the path between them: with a delay, a rate, a queue that drops what
 * does not fit, and random loss. `namespaces.ts` starts it between two network namespaces, with
 * `--unstable-net`: the sockets of `node:dgram` are too slow for that.
 *
 * Argument: JSON of {@linkcode PacketPath}.
 */
import { Line } from "./line.ts";
import { endWithParent } from "./lifeline.ts";
import type { PacketPath } from "./packet_path.ts";

/** Larger than any packet of the devices. */
const MAX_PACKET = 2048;

const path: PacketPath = JSON.parse(Deno.args[0]!);

function bound(hostname: string): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port: path.port });
}

/** Forwards what `from` receives to the device at `hostname`, through `to`. */
async function forward(from: Deno.DatagramConn, to: Deno.DatagramConn, hostname: string): Promise<never> {
  const address = { transport: "udp", hostname, port: path.port } as const;
  const line = new Line<Uint8Array>(path, (packet) => {
    to.send(packet, address).catch(() => {}); // lost, as on any path
  });
  const buffer = new Uint8Array(MAX_PACKET);
  while (true) {
    const [packet] = await from.receive(buffer);
    if (Math.random() >= path.loss && line.backlog <= path.queueBytes) {
      line.take(packet.slice(), packet.length);
    }
  }
}

const [a, b] = [bound(path.a.relay), bound(path.b.relay)];
await Promise.race([forward(a, b, path.b.device), forward(b, a, path.a.device), endWithParent()]);
