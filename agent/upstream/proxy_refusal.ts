import { SallyportError } from "../../shared/errors.ts";
import { fromConnectionError } from "../../shared/net/connection_error.ts";

/** Why a proxy did not connect, as the cause of an error: its response, its certificate or its protocol. */
export class ProxyRefusal {
  /** @param status HTTP status of its response; undefined when its certificate or protocol is the reason. */
  constructor(readonly status: number | undefined) {}

  /** Whether the configuration has to change: an unreachable target, or a busy proxy, may recover. */
  get isPermanent(): boolean {
    return this.status === undefined || (this.status < 500 && this.status !== 429);
  }
}

/** Whether an error, or one of its causes, is a proxy that refuses until its configuration changes. */
export function isPermanentProxyError(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at.cause instanceof ProxyRefusal) return at.cause.isPermanent;
  }
  return false;
}

/** The HTTP status with which a proxy refused; undefined for other errors. */
export function proxyStatusOf(error: unknown): number | undefined {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause instanceof ProxyRefusal ? cause.status : undefined;
}

/** Makes the error for a proxy that cannot be used as configured. */
export function proxyUnusable(doing: string, reason: string): SallyportError {
  return new SallyportError("tunnel_down", `Cannot ${doing}: ${reason}`, {
    cause: new ProxyRefusal(undefined),
  });
}

/** Translates an error of a connection to a proxy. It is always about the proxy, not about the server behind it. */
export function fromProxyError(error: unknown, doing: string): SallyportError {
  const { code } = (error ?? {}) as { code?: unknown };
  // The parser of node:http received bytes that are not a response.
  if (typeof code === "string" && code.startsWith("HPE_")) {
    return proxyUnusable(
      doing,
      "it does not answer as an HTTP proxy does; if it speaks TLS, write https:// into upstream_proxy",
    );
  }
  const translated = fromConnectionError(error, doing);
  if (translated.code !== "peer_rejected") return translated;
  return proxyUnusable(doing, "it requires a client certificate, which is not supported");
}
