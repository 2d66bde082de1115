import type { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { connect } from "node:tls";
import { SallyportError } from "../errors.ts";
import type { Identity } from "./identity.ts";
import { connectThrough } from "./proxy_tunnel.ts";
import type { UpstreamProxy } from "./upstream_proxy.ts";
import { presentedChain } from "./presented_chain.ts";
import { subjectOf } from "./subject.ts";
import { findFault } from "./trust.ts";

/** A handshake that failed because of the server's certificate. */
export interface RejectedDial {
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
  readonly sni: string;
  readonly identity: Identity;
  readonly connectTimeoutMs: number;
  readonly signal?: AbortSignal;
  /** The proxy that has to be gone through. @default {none} */
  readonly via?: UpstreamProxy | undefined;
  /** What the socket threw. */
  readonly error: unknown;
  /** What was being done: "connect to 192.0.2.1:8443". */
  readonly doing: string;
}

/**
 * Finds out what was wrong with a server's certificate. The runtime keeps it to itself when it refuses one, and
 * tells an expired certificate from a foreign one by no code; the name of its issuer, though, is how somebody
 * notices a proxy in the middle that opens TLS. So the server is asked once more, by a connection that shows no
 * certificate of ours, carries nothing, and is closed as soon as the answer was seen.
 *
 * @returns `peer_rejected` with the reason, as far as it was found; what is wrong is its cause (`faultOf`).
 */
export async function explainRejection(dial: RejectedDial): Promise<SallyportError> {
  const { doing, error, identity, serverName } = dial;
  const chain = await askAgain(dial);
  const whose = chain[0] === undefined
    ? "the server's certificate"
    : `the server's certificate (${subjectOf(chain[0])})`;
  const fault = chain[0] && findFault({
    chain,
    authorities: identity.authorities,
    revocation: identity.revocation,
    usage: "serverAuth",
    serverName,
    // A server that TLS refused must not make us check its signatures.
    proof: "names",
  });
  if (fault === undefined) {
    const message = `Cannot ${doing}: ${whose} was not accepted`;
    return new SallyportError("peer_rejected", message, { cause: error });
  }
  return fault.rejection(
    `Cannot ${doing}: ${whose} ${fault.text}${fault.kind === "foreign" ? INTERCEPTED : ""}`,
  );
}

const INTERCEPTED = "; this is another server, or something on the path opens TLS: the issuer tells which";

/** What the server shows to somebody who does not ask for more; empty when it shows nothing in time. */
async function askAgain(dial: RejectedDial): Promise<X509Certificate[]> {
  const { host, port, connectTimeoutMs: timeoutMs, signal, via: proxy } = dial;
  if (proxy === undefined) return await presentedTo(dial, { host, port });
  try {
    return await presentedTo(dial, {
      socket: await connectThrough({ proxy, host, port, timeoutMs, signal }),
    });
  } catch {
    return []; // it let us through a moment ago; what is known has to do
  }
}

function presentedTo(
  { sni, connectTimeoutMs, signal }: RejectedDial,
  to: { host: string; port: number } | { socket: Socket },
): Promise<X509Certificate[]> {
  return new Promise((resolve) => {
    const servername = isIP(sni) === 0 ? sni : "";
    // Nothing is sent to whoever this is, and nothing read.
    const socket = connect({ ...to, servername, rejectUnauthorized: false });
    let seen: X509Certificate[] = [];
    const over = () => socket.destroy();
    const timer = setTimeout(over, connectTimeoutMs);
    signal?.addEventListener("abort", over);
    socket.on("error", over);
    socket.once("secureConnect", () => {
      try {
        seen = presentedChain(socket);
      } catch {
        // It is no certificate: that it was not accepted is all there is to say. Thrown here it would end the program.
      }
      over();
    });
    socket.once("close", () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", over);
      resolve(seen);
    });
    if (signal?.aborted) over();
  });
}
