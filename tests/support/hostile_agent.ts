import { issueCertificate } from "../../agent/certs/issue.ts";
import { SocketTransport } from "../../shared/net/socket_transport.ts";
import { dialTls } from "../../shared/tls/dial.ts";
import { loadIdentity } from "../../shared/tls/identity.ts";
import type { Chain } from "./chain.ts";
import { RawPeer } from "./raw_peer.ts";

/** The hostile client's certificate, once for every chain. */
const issued = new WeakMap<Chain, Promise<unknown>>();

/**
 * A connection to the server of a chain on which nothing was said yet, with a good certificate of another client
 * than the agent: what one client has under way is counted by certificate.
 */
export async function connectHostile(chain: Chain): Promise<RawPeer> {
  const dir = `${chain.dir}/certs`;
  const file = (name: string) => ({ file: `${dir}/${name}` });
  const source = { cert: file("hostile.crt"), key: file("hostile.key"), ca: file("ca.crt") };
  if (!issued.has(chain)) issued.set(chain, issueCertificate({ dir, name: "hostile" }));
  await issued.get(chain);
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
