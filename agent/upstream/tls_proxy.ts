import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { SallyportError } from "../../shared/errors.ts";
import { parseCertificates } from "../../shared/pki/x509/pem.ts";
import { promiseWithDeadline } from "../../shared/net/deadline.ts";
import { isAboutPeerCertificate, isNoTls } from "../../shared/net/connection_error.ts";
import { fromProxyError, proxyUnusable } from "./proxy_refusal.ts";
import { presentedChain } from "../../shared/pki/peer_verification.ts";
import { certificateFields } from "../../shared/pki/x509/certificate_fields.ts";
import { listNames, nameOnOneLine, subjectOf } from "../../shared/pki/x509/names.ts";
import { validatePath } from "../../shared/pki/path_validation.ts";
import { addressOf, type UpstreamProxy } from "./upstream_proxy.ts";

/** Options of {@linkcode connectTlsProxy}. */
export interface TlsProxyDial {
  readonly proxy: UpstreamProxy;
  /** Milliseconds for TCP and TLS. */
  readonly timeoutMs: number;
  /** Cancels the attempt. */
  readonly signal?: AbortSignal | undefined;
  /** What is being done: "reach 192.0.2.1:8443 through the proxy proxy.example:3130". */
  readonly doing: string;
}

/**
 * Connects to a proxy over TLS. A public root CA, or the configured CA of the proxy, has to have issued its certificate,
 * which has to carry the configured name or address of the proxy. `node:https` would compare the name with the field
 * `Host`, which is the target's.
 *
 * @throws {SallyportError} `tunnel_down` with what is wrong with the proxy and what to do; `cancelled`.
 */
export async function connectTlsProxy(dial: TlsProxyDial): Promise<TLSSocket> {
  const began = performance.now();
  try {
    return await handshake(dial, true);
  } catch (error) {
    const timeoutMs = Math.max(1, dial.timeoutMs - (performance.now() - began));
    throw await explainError(error, { ...dial, timeoutMs });
  }
}

/** @param verify Whether the proxy's certificate has to be valid; without, nothing may be sent. */
function handshake(dial: TlsProxyDial, verify: boolean): Promise<TLSSocket> {
  const { proxy: { url, ca }, timeoutMs, signal, doing } = dial;
  const { host, port } = addressOf(url);
  let isConnected = false;
  const late = () => noAnswer(dial, isConnected);
  return promiseWithDeadline<TLSSocket>({ doing, timeoutMs, signal, late }, (resolve, reject) => {
    const socket = connect({
      host,
      port,
      servername: isIP(host) === 0 ? host : "",
      ...(ca === undefined ? {} : { ca }),
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: verify,
    });
    socket.once("connect", () => isConnected = true);
    // Never removed: an error without a listener would end the process.
    socket.on("error", reject);
    const closed = new SallyportError("tunnel_down", `Cannot ${doing}: it closed the connection immediately`);
    socket.once("close", () => reject(closed));
    socket.once("secureConnect", () => resolve(socket));
    return () => socket.destroy();
  });
}

function noAnswer({ timeoutMs, doing }: TlsProxyDial, isConnected: boolean): SallyportError {
  const seconds = timeoutMs / 1000;
  const reason = isConnected
    ? `it did not answer TLS in ${seconds} s: for a proxy without TLS, write http:// into upstream_proxy`
    : `it did not answer in ${seconds} s`;
  const cause = isConnected ? new SallyportError("target_timeout", reason) : undefined;
  return new SallyportError("tunnel_down", `Cannot ${doing}: ${reason}`, { cause });
}

async function explainError(error: unknown, dial: TlsProxyDial): Promise<SallyportError> {
  const { doing, signal } = dial;
  const tell = (reason: string) => proxyUnusable(doing, reason);
  if (isNoTls(error)) return tell("it does not speak TLS: write http:// into upstream_proxy");
  if (!isAboutPeerCertificate(error)) return fromProxyError(error, doing);
  const [leaf, ...rest] = await presentedBy(dial);
  if (signal?.aborted) {
    return new SallyportError("cancelled", `Cannot ${doing}: it is no longer needed`);
  }
  if (leaf === undefined) return tell("its certificate was not accepted");
  return tell(`its certificate (${subjectOf(leaf)}) ${describeProblem([leaf, ...rest], dial.proxy, error)}`);
}

/** The chain of the proxy: the runtime does not expose what it refused. Nothing is sent or read. */
async function presentedBy(dial: TlsProxyDial): Promise<X509Certificate[]> {
  try {
    const socket = await handshake(dial, false);
    const chain = presentedChain(socket);
    socket.destroy();
    return chain;
  } catch {
    return []; // it answered a moment ago; the first error has to do
  }
}

function describeProblem(
  chain: readonly [X509Certificate, ...X509Certificate[]],
  { url, ca }: UpstreamProxy,
  error: unknown,
): string {
  const [leaf] = chain;
  const own = ca === undefined
    ? undefined
    : parseCertificates({ bytes: new TextEncoder().encode(ca), name: "CA of the proxy" });
  const problem = validatePath({ chain, authorities: own ?? chain, mode: "names_only" });
  switch (problem?.kind) {
    case "expired":
    case "issuer_dates":
      return `${problem.text}: the administrator of the proxy has to renew it, unless this machine's clock is wrong`;
    case "not_yet_valid":
      return `${problem.text}: set the clock of this machine`;
  }
  if ((error as { code?: unknown }).code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const names = listNames(certificateFields(leaf).names);
    return `is not for "${addressOf(url).host}": it carries ${names}; write one of these into upstream_proxy`;
  }
  if (own !== undefined) return `${problem?.text ?? "was not accepted"}: check upstream_ca_file`;
  const issuer = nameOnOneLine(chain.at(-1)!.issuer);
  return `was issued by ${issuer}, which is not trusted here: write the file of the CA that your network uses into ` +
    "upstream_ca_file";
}
