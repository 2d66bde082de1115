import { z } from "zod";
import type { Clock } from "../../shared/clock.ts";
import type { Action } from "../../shared/cloud/call.ts";
import { FLEET_FAILURES, type FleetStatus, parseFleetStatus } from "../../shared/cloud/fleet_status.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Identity } from "../../shared/tls/identity.ts";
import { isAboutPeerCertificate } from "../../shared/tls/connection_error.ts";
import { isProxyToBeMended } from "../../shared/tls/proxy_refusal.ts";
import { addressOf, type UpstreamProxy } from "../../shared/tls/upstream_proxy.ts";
import { type WebAnswer, webRequest } from "../../shared/tls/web_request.ts";
import { type Endpoints, METHODS } from "./endpoints.ts";
import { signCall } from "./sign_call.ts";

/** How a call ended. */
export type CallOutcome =
  | { readonly kind: "answered"; readonly status: FleetStatus }
  /** It may pass: worth another call, not before `retryInMs`; `isUnanswered` where nobody answered at all. */
  | {
    readonly kind: "passing";
    readonly error: SallyportError;
    readonly retryInMs: number;
    readonly isUnanswered?: boolean;
  }
  /**
   * Another call would end the same way. `isUnaccepted`: the function does not accept the caller (401). `isInUse`:
   * Kill leaves servers alone that other agents use (409). Anything else has to be fixed by somebody.
   */
  | {
    readonly kind: "lasting";
    readonly error: SallyportError;
    readonly isUnaccepted?: boolean;
    readonly isInUse?: boolean;
  };

/** What makes a {@linkcode FleetClient}. */
export interface FleetClientInit {
  readonly endpoints: Endpoints;
  /** Whose key signs; asked for every call, since certificates are renewed. */
  identity(): Identity;
  readonly clock: Clock;
  /** The proxy through which an endpoint is reached. @default {none} */
  via?(host: string, port: number): UpstreamProxy | undefined;
}

/** Milliseconds for one call: a function that starts cold and asks AWS several things. */
const CALL_TIMEOUT = 20_000;
const MAX_ANSWER = 65_536;

const FAILURE = z.object({ error: z.object({ code: z.string(), message: z.string().max(2_000) }) });

/** Calls the cloud's functions, each call once. */
export class FleetClient {
  readonly #init: FleetClientInit;

  constructor(init: FleetClientInit) {
    this.#init = init;
  }

  /** Whether the fleet can be looked at without waking it. */
  get canQuery(): boolean {
    return this.#init.endpoints.query !== undefined;
  }

  /** Whether the fleet can be stopped from here. */
  get canKill(): boolean {
    return this.#init.endpoints.kill !== undefined;
  }

  /** Calls a function. Never rejects. */
  async call(action: Action, signal: AbortSignal): Promise<CallOutcome> {
    const url = this.#init.endpoints[action];
    const doing = `call ${action}`;
    if (url === undefined) return lasting(doing, `${action}_endpoint is not set`);
    let answer: WebAnswer;
    try {
      const method = METHODS[action];
      const now = this.#init.clock.wallTime();
      const token = await signCall({ action, method, url, now }, this.#init.identity());
      const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
      const { host, port } = addressOf(url);
      answer = await webRequest({
        url,
        // An address without TLS is of this machine: a proxy would look for it on its own, and read the token.
        via: url.protocol === "https:" ? this.#init.via?.(host, port) : undefined,
        method,
        headers,
        timeoutMs: CALL_TIMEOUT,
        maxBytes: MAX_ANSWER,
        signal,
      });
    } catch (error) {
      const failure = SallyportError.from(error, "tunnel_down");
      if (isProxyToBeMended(error) || isUntrusted(error)) return { kind: "lasting", error: failure };
      return { kind: "passing", error: failure, retryInMs: 0, isUnanswered: true };
    }
    return this.#read(answer, doing, url);
  }

  #read({ status, headers, body }: WebAnswer, doing: string, url: URL): CallOutcome {
    if (status === 200) {
      try {
        return { kind: "answered", status: parseFleetStatus(body) };
      } catch (error) {
        return lasting(
          doing,
          `${url.origin} is no function of Sallyport: ${SallyportError.from(error).message}`,
        );
      }
    }
    if (status === 401) return { ...lasting(doing, this.#unaccepted()), isUnaccepted: true };
    const said = messageOf(body) ??
      `${url.origin} answered ${status} ${headers["content-type"] ?? ""}`.trim();
    if (status === FLEET_FAILURES.in_use) return { ...lasting(doing, said), isInUse: true };
    if (status !== 429 && status < 500) return lasting(doing, said);
    // What AWS itself answers for a function that failed has no message of ours.
    if (status === 500 && messageOf(body) !== undefined) return lasting(doing, said);
    const seconds = Number(headers["retry-after"] ?? 0);
    const retryInMs = Number.isFinite(seconds) ? Math.min(seconds, 60) * 1_000 : 0;
    return {
      kind: "passing",
      error: new SallyportError("tunnel_down", `Cannot ${doing}: ${said}`),
      retryInMs,
    };
  }

  #unaccepted(): string {
    const serial = this.#init.identity().chain[0]?.serialNumber;
    return `it was not accepted; check that the clock of this machine is right, and that the certificate ` +
      `(serial ${serial}) is of the CA that was deployed, was not revoked and is named by clients.allow`;
  }
}

/** Whether what answers in place of a function is not what the public roots know. */
function isUntrusted(error: unknown): boolean {
  return error instanceof Error && isAboutPeerCertificate(error.cause);
}

function lasting(doing: string, why: string): Extract<CallOutcome, { kind: "lasting" }> {
  return { kind: "lasting", error: new SallyportError("tunnel_down", `Cannot ${doing}: ${why}`) };
}

function messageOf(body: string): string | undefined {
  try {
    return FAILURE.parse(JSON.parse(body)).error.message;
  } catch {
    return undefined; // not one of ours; its status has to do
  }
}
