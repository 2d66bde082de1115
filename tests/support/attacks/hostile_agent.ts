import { issueCertificate } from "../../../agent/certs/issue.ts";
import { SocketTransport } from "../../../shared/net/socket_transport.ts";
import { dialTls } from "../../../shared/tls/dial.ts";
import { loadIdentity } from "../../../shared/pki/identity/identity.ts";
import type { Chain } from "../programs/chain.ts";
import { RawPeer } from "../mux/raw_peer.ts";

/** The hostile client's certificate, once for every chain. */
const issued = new WeakMap<Chain, Promise<unknown>>();

/**
 * Connects to the server of a chain and sends nothing yet. Its certificate is valid, but not the agent's: the limits
 * of a client are counted by certificate.
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
