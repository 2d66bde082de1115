import { SocketTransport } from "../../shared/net/socket_transport.ts";
import { dialTls } from "../../shared/tls/dial.ts";
import { loadIdentity } from "../../shared/tls/identity.ts";
import type { Chain } from "./chain.ts";
import { RawPeer } from "./raw_peer.ts";

/** A connection to the server of a chain with the agent's own certificate, on which nothing was said yet. */
export async function connectHostile(chain: Chain): Promise<RawPeer> {
  const file = (name: string) => ({ file: `${chain.dir}/certs/${name}` });
  const source = { cert: file("client.crt"), key: file("client.key"), ca: file("ca.crt") };
  const { socket } = await dialTls({
    host: "127.0.0.1",
    port: chain.serverPort,
    serverName: "sallyport-server",
    sni: "sallyport-server",
    identity: await loadIdentity(source, "clientAuth"),
    connectTimeoutMs: 5_000,
  });
  return new RawPeer(new SocketTransport(socket));
}
