import { issueCertificate } from "../../../agent/certs/issue.ts";
import { SocketTransport } from "../../../shared/net/socket_transport.ts";
import { dialTls } from "../../../shared/tls/dial.ts";
import { loadIdentity } from "../../../shared/pki/identity/identity.ts";
import type { Chain } from "../programs/chain.ts";
import { RawPeer } from "../mux/raw_peer.ts";

/** Certificates of hostile clients by chain and name, each made once. */
const issued = new WeakMap<Chain, Map<string, Promise<unknown>>>();

/**
 * Connects to the server of a chain and sends nothing yet. Its certificate is valid, but not the agent's: the limits
 * of a client are counted by certificate.
 *
 * @param name Of its certificate.
 */
export async function connectHostile(chain: Chain, name = "hostile"): Promise<RawPeer> {
  const dir = `${chain.dir}/certs`;
  const file = (base: string) => ({ file: `${dir}/${base}` });
  const source = { cert: file(`${name}.crt`), key: file(`${name}.key`), ca: file("ca.crt") };
  const known = issued.get(chain) ?? new Map<string, Promise<unknown>>();
  issued.set(chain, known);
  if (!known.has(name)) known.set(name, issueCertificate({ dir, name }));
  await known.get(name);
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
