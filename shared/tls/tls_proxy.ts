import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { SallyportError } from "../errors.ts";
import { parseCertificates } from "./certificates.ts";
import { fromConnectionError, isAboutPeerCertificate, isNoTls } from "./connection_error.ts";
import { ProxyRefusal } from "./proxy_refusal.ts";
import { presentedChain } from "./presented_chain.ts";
import { certificateFields } from "./certificate_fields.ts";
import { shownNames } from "./server_name.ts";
import { oneLine, subjectOf } from "./subject.ts";
import { findFault } from "./trust.ts";
import { addressOf, type UpstreamProxy } from "./upstream_proxy.ts";

/** What makes a connection to an `https:` proxy. */
export interface TlsProxyDial {
  readonly proxy: UpstreamProxy;
  /** Milliseconds for TCP and TLS. */
  readonly timeoutMs: number;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
  /** What is being done: "reach 192.0.2.1:8443 through the proxy proxy.example:3130". */
  readonly doing: string;
}

/**
 * Connects to a proxy that speaks TLS itself. Its certificate has to be of a public root, or of the proxy's CA where
 * one is given, and has to carry the name or address by which the proxy is known here. `node:https` would look for
 * the name in the field `Host`, which is the target's.
 *
 * @throws {SallyportError} `tunnel_down` with what is wrong with the proxy and what to do; `cancelled`.
 */
export async function connectTlsProxy(dial: TlsProxyDial): Promise<TLSSocket> {
  const began = performance.now();
  try {
    return await handshake(dial, true);
  } catch (error) {
    const timeoutMs = Math.max(1, dial.timeoutMs - (performance.now() - began));
    throw await explained(error, { ...dial, timeoutMs });
  }
}

/** Translates what happened to a connection to a proxy: whatever it is, it is the proxy's and not the server's. */
export function fromProxyError(error: unknown, doing: string): SallyportError {
  const tell = (why: string) =>
    new SallyportError("tunnel_down", `Cannot ${doing}: ${why}`, { cause: new ProxyRefusal(undefined) });
  const { code } = (error ?? {}) as { code?: unknown };
  // What the parser of node:http says of bytes that are no answer.
  if (typeof code === "string" && code.startsWith("HPE_")) {
    return tell(
      "it does not answer as an HTTP proxy does; if it speaks TLS, write https:// into upstream_proxy",
    );
  }
  const translated = fromConnectionError(error, doing);
  if (translated.code !== "peer_rejected") return translated;
  return tell("it wants a certificate of its clients, which is not supported");
}

/** @param verify Whether the proxy's certificate has to be good; without, nothing may be sent. */
function handshake(dial: TlsProxyDial, verify: boolean): Promise<TLSSocket> {
  const { proxy: { url, ca }, timeoutMs, signal, doing } = dial;
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const { host, port } = addressOf(url);
  const socket = connect({
    host,
    port,
    servername: isIP(host) === 0 ? host : "",
    ...(ca === undefined ? {} : { ca }),
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: verify,
  });
  const settle = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  };
  const fail = (error: unknown) => {
    settle();
    socket.destroy();
    reject(error);
  };
  const abort = () => fail(cancelled(doing));
  let isReached = false;
  socket.once("connect", () => isReached = true);
  const late = () => {
    const seconds = timeoutMs / 1000;
    const why = isReached
      ? `it did not answer TLS in ${seconds} s: one that speaks none is written with http://`
      : `it did not answer in ${seconds} s`;
    const cause = isReached ? new SallyportError("target_timeout", why) : undefined;
    fail(new SallyportError("tunnel_down", `Cannot ${doing}: ${why}`, { cause }));
  };
  const timer = setTimeout(late, timeoutMs);
  signal?.addEventListener("abort", abort);
  // Stays for good: an error after the end would end the process.
  socket.on("error", fail);
  socket.once("close", () => fail(new SallyportError("tunnel_down", `Cannot ${doing}: it hung up at once`)));
  socket.once("secureConnect", () => {
    settle();
    resolve(socket);
  });
  if (signal?.aborted) abort();
  return promise;
}

function cancelled(doing: string): SallyportError {
  return new SallyportError("cancelled", `Cannot ${doing}: nobody wants it any more`);
}

async function explained(error: unknown, dial: TlsProxyDial): Promise<SallyportError> {
  const { doing, signal } = dial;
  const tell = (why: string) =>
    new SallyportError("tunnel_down", `Cannot ${doing}: ${why}`, { cause: new ProxyRefusal(undefined) });
  if (isNoTls(error)) return tell("it does not speak TLS: write http:// into upstream_proxy");
  if (!isAboutPeerCertificate(error)) return fromProxyError(error, doing);
  const [leaf, ...rest] = await presentedBy(dial);
  if (signal?.aborted) return cancelled(doing);
  if (leaf === undefined) return tell("its certificate was not accepted");
  return tell(`its certificate (${subjectOf(leaf)}) ${faultOf([leaf, ...rest], dial.proxy, error)}`);
}

/** What the proxy shows: the runtime keeps to itself what it refused. Nothing is sent, and nothing read. */
async function presentedBy(dial: TlsProxyDial): Promise<X509Certificate[]> {
  try {
    const socket = await handshake(dial, false);
    const chain = presentedChain(socket);
    socket.destroy();
    return chain;
  } catch {
    return []; // it answered a moment ago; what is known has to do
  }
}

function faultOf(
  chain: readonly [X509Certificate, ...X509Certificate[]],
  { url, ca }: UpstreamProxy,
  error: unknown,
): string {
  const [leaf] = chain;
  const own = ca === undefined
    ? undefined
    : parseCertificates({ bytes: new TextEncoder().encode(ca), name: "CA of the proxy" });
  const fault = findFault({ chain, authorities: own ?? chain, proof: "names" });
  switch (fault?.kind) {
    case "expired":
    case "issuer_dates":
      return `${fault.text}: whoever runs the proxy has to renew it, unless this machine's clock is wrong`;
    case "not_yet_valid":
      return `${fault.text}: set the clock of this machine`;
  }
  if ((error as { code?: unknown }).code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const names = shownNames(certificateFields(leaf).names);
    return `is not for "${addressOf(url).host}": it carries ${names}; write one of these into upstream_proxy`;
  }
  if (own !== undefined) return `${fault?.text ?? "was not accepted"}: check upstream_ca_file`;
  const issuer = oneLine(chain.at(-1)!.issuer);
  return `was issued by ${issuer}, whom nobody knows here: write the file of the CA that your network uses into ` +
    "upstream_ca_file";
}
