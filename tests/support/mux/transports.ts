import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import type { Transport } from "../../../shared/mux/transport.ts";
import { SocketTransport } from "../../../shared/net/socket_transport.ts";
import type { Identity } from "../../../shared/pki/identity/identity.ts";
import { MemoryTransport } from "./memory_transport.ts";
import { TestPki } from "../pki/pki.ts";
import { TestListener } from "../pki/tls_pair.ts";
import { abandonWaits, within } from "../within.ts";

/** A way to connect two sessions. */
export interface TransportKind {
  name: string;
  /** Both ends of a new connection, the dialer's first. */
  pair(): Promise<[Transport, Transport]>;
  /** Waits until nothing is left of closed connections. */
  settled(): Promise<void>;
}

/** Every kind of connection over which sessions are tested. */
export const TRANSPORTS: readonly TransportKind[] = [
  {
    name: "memory",
    pair: () => Promise.resolve(MemoryTransport.pair()),
    settled: () => MemoryTransport.settled(),
  },
  socketKind("TCP", tcpPair),
  socketKind("TLS", tlsPair),
];

/**
 * Runs `body` with connections of a kind, the dialer's ends first. When it fails, everything that it left is ended
 * before the next test: connections, and waits for what will not come.
 */
export async function withConnections(
  kind: TransportKind,
  count: number,
  body: (pairs: [Transport, Transport][]) => Promise<void>,
): Promise<void> {
  const pairs: [Transport, Transport][] = [];
  try {
    while (pairs.length < count) pairs.push(await kind.pair());
    await body(pairs);
  } catch (error) {
    // No code waits any more for the streams that end now.
    const ignore = (event: Event) => event.preventDefault();
    addEventListener("unhandledrejection", ignore);
    for (const transport of pairs.flat()) transport.abort();
    await kind.settled().catch(() => {});
    abandonWaits();
    await new Promise((resolve) => setTimeout(resolve, 0));
    removeEventListener("unhandledrejection", ignore);
    throw error;
  }
  await kind.settled();
}

/** Sockets that are not closed yet. */
const open = new Set<Promise<void>>();

function socketKind(name: string, sockets: () => Promise<[Socket, Socket]>): TransportKind {
  return {
    name,
    async pair() {
      const [a, b] = await within(5_000, sockets(), `a connection over ${name}`);
      for (const socket of [a, b]) {
        const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
        open.add(closed);
        closed.then(() => open.delete(closed));
      }
      return [new SocketTransport(a), new SocketTransport(b)];
    },
    async settled() {
      await within(5_000, Promise.all(open), `all sockets of ${name} closed`);
    },
  };
}

async function tcpPair(): Promise<[Socket, Socket]> {
  const server = createTcpServer();
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const port = await listen(server);
  const dialed = connectTcp({ host: "127.0.0.1", port });
  await new Promise<void>((resolve, reject) => dialed.once("connect", resolve).once("error", reject));
  const other = await accepted;
  server.close();
  return [dialed, other];
}

let pki: Promise<{ server: Identity; client: Identity }> | undefined;

/** Sockets of the real dialer and listener, with certificates of a test CA (SPEC.md 1.1). */
async function tlsPair(): Promise<[Socket, Socket]> {
  const { server, client } = await (pki ??= identities());
  const listener = await TestListener.start(server);
  const accepted = listener.accepted();
  const dialled = await listener.dial(client);
  const { socket } = await accepted;
  await listener.listener.close();
  return [dialled.socket, socket];
}

async function identities(): Promise<{ server: Identity; client: Identity }> {
  const authority = await TestPki.create();
  return { server: await authority.server(), client: await authority.client() };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
