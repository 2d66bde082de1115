/** Why a proxy did not connect, as the cause of an error: by its answer, or by what it is. */
export class ProxyRefusal {
  /** @param status The HTTP status of its answer; undefined where its certificate, or its speech, is the reason. */
  constructor(readonly status: number | undefined) {}

  /** Whether somebody has to mend something: what the proxy could not reach, or had no room for, may pass. */
  get lasts(): boolean {
    return this.status === undefined || (this.status < 500 && this.status !== 429);
  }
}

/** Tells whether an error, or what caused it, is a proxy that will not do until somebody mends something. */
export function isProxyToBeMended(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at.cause instanceof ProxyRefusal) return at.cause.lasts;
  }
  return false;
}

/** The HTTP status by which a proxy refused; undefined for an error of another kind. */
export function proxyStatusOf(error: unknown): number | undefined {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause instanceof ProxyRefusal ? cause.status : undefined;
}
