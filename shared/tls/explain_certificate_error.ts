import type { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { connect } from "node:tls";
import { SallyportError } from "../errors.ts";
import { promiseWithDeadline } from "../net/deadline.ts";
import type { Identity } from "../pki/identity/identity.ts";
import { validatePath } from "../pki/path_validation.ts";
import { presentedChain } from "../pki/peer_verification.ts";
import { subjectOf } from "../pki/x509/names.ts";

/** A TLS handshake that failed because of the server's certificate. */
export interface CertificateErrorContext {
  readonly serverName: string;
  readonly sni: string;
  readonly identity: Identity;
  readonly connectTimeoutMs: number;
  readonly signal?: AbortSignal;
  /** Returns the address to connect to again, or makes a new connection to the server. */
  reconnect(): Promise<{ host: string; port: number } | { socket: Socket }>;
  /** The error of the socket. */
  readonly error: unknown;
  /** What was being done: "connect to 192.0.2.1:8443". */
  readonly doing: string;
}

/**
 * Finds out what is wrong with a server's certificate. The runtime does not expose a certificate that it refused, and no
 * error code distinguishes an expired certificate from an unknown issuer; but the issuer's name is what reveals an
 * intercepting proxy. So this connects once more, without a client certificate, sends nothing, and closes the connection
 * as soon as the server has presented its chain.
 *
 * @returns `peer_rejected` with the reason, as far as it is known; its cause is the problem (`certificateProblemOf`).
 */
export async function explainCertificateError(context: CertificateErrorContext): Promise<SallyportError> {
  const { doing, error, identity, serverName } = context;
  const chain = await presentedAgain(context);
  const title = chain[0] === undefined
    ? "the server's certificate"
    : `the server's certificate (${subjectOf(chain[0])})`;
  const problem = chain[0] && validatePath({
    chain,
    authorities: identity.authorities,
    revocation: identity.revocation,
    usage: "serverAuth",
    serverName,
    // A server that TLS refused must not cost us signature checks.
    mode: "names_only",
  });
  if (problem === undefined) {
    const message = `Cannot ${doing}: ${title} was not accepted`;
    return new SallyportError("peer_rejected", message, { cause: error });
  }
  const advice = problem.kind === "foreign" ? INTERCEPTED : "";
  return problem.toError(`Cannot ${doing}: ${title} ${problem.textWithAdvice}${advice}`);
}

const INTERCEPTED =
  "; this is another server, or something on the path intercepts TLS: the issuer shows which";

/** Returns the chain that the server presents; empty when it presents none in time. */
async function presentedAgain(context: CertificateErrorContext): Promise<X509Certificate[]> {
  const { sni, connectTimeoutMs: timeoutMs, signal, doing } = context;
  try {
    const target = await context.reconnect();
    // For an aborted signal nothing below starts, and nothing else would close the connection.
    if (signal?.aborted && "socket" in target) target.socket.destroy();
    return await promiseWithDeadline<X509Certificate[]>({ doing, timeoutMs, signal }, (resolve, reject) => {
      const servername = isIP(sni) === 0 ? sni : "";
      // Nothing is sent to this unverified server, and nothing is read.
      const socket = connect({ ...target, servername, rejectUnauthorized: false });
      socket.on("error", reject);
      socket.once("close", () => reject(new Error("closed")));
      socket.once("secureConnect", () => {
        try {
          resolve(presentedChain(socket));
        } catch (error) {
          reject(error); // thrown here, an unreadable certificate would end the process
        } finally {
          socket.destroy();
        }
      });
      return () => socket.destroy();
    });
  } catch {
    return []; // it answered a moment ago; the first error has to do
  }
}
