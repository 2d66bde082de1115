import { z } from "zod";
import type { Clock } from "../../shared/clock.ts";
import type { Action } from "../../shared/cloud/call.ts";
import { FLEET_FAILURES, type FleetStatus, parseFleetStatus } from "../../shared/cloud/fleet_status.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Identity } from "../../shared/pki/identity/identity.ts";
import { isAboutPeerCertificate } from "../../shared/net/connection_error.ts";
import { isPermanentProxyError } from "../upstream/proxy_refusal.ts";
import { addressOf, type UpstreamProxy } from "../upstream/upstream_proxy.ts";
import { type WebAnswer, webRequest } from "../upstream/web_request.ts";
import type { Endpoints } from "../config/config.ts";
import { signCall } from "./sign_call.ts";

/** The result of a call. */
export type CallResult =
  | { readonly kind: "answered"; readonly status: FleetStatus }
  /** Another call may succeed, not before `retryInMs`. `isUnreachable`: there was no answer. */
  | {
    readonly kind: "retryable";
    readonly error: SallyportError;
    readonly retryInMs: number;
    readonly isUnreachable?: boolean;
  }
  /**
   * Another call would end the same way. `isUnauthorized`: the function does not accept the caller (401). `isInUse`:
   * Kill does not stop servers that other agents use (409). Anything else needs a person to fix it.
   */
  | {
    readonly kind: "permanent";
    readonly error: SallyportError;
    readonly isUnauthorized?: boolean;
    readonly isInUse?: boolean;
  };

/** What {@linkcode FleetClient} needs. */
export interface FleetClientInit {
  readonly endpoints: Endpoints;
  /** Whose key signs; called for each call, since certificates are renewed. */
  identity(): Identity;
  readonly clock: Clock;
  /** The proxy for an endpoint. @default {none} */
  via?(host: string, port: number): UpstreamProxy | undefined;
}

/** Milliseconds for one call: a function may need a cold start and several calls to AWS. */
const CALL_TIMEOUT = 20_000;
/** How each function is called; a call is signed for its method. */
export const METHODS: Readonly<Record<Action, string>> = { wake: "POST", query: "GET", kill: "POST" };

const MAX_ANSWER = 65_536;

const FAILURE = z.object({ error: z.object({ code: z.string(), message: z.string().max(2_000) }) });

/** Calls the cloud functions, each once, without retries. */
export class FleetClient {
  readonly #init: FleetClientInit;

  constructor(init: FleetClientInit) {
    this.#init = init;
  }

  /** Whether the fleet can be queried without waking it. */
  get canQuery(): boolean {
    return this.#init.endpoints.query !== undefined;
  }

  /** Whether the fleet can be stopped. */
  get canKill(): boolean {
    return this.#init.endpoints.kill !== undefined;
  }

  /** Calls a function. Never rejects. */
  async call(action: Action, signal: AbortSignal): Promise<CallResult> {
    const url = this.#init.endpoints[action];
    const doing = `call ${action}`;
    if (url === undefined) return permanent(doing, `${action}_endpoint is not set`);
    let answer: WebAnswer;
    try {
      const method = METHODS[action];
      const now = this.#init.clock.wallTime();
      const token = await signCall({ action, method, url, now }, this.#init.identity());
      const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
      const { host, port } = addressOf(url);
      answer = await webRequest({
        url,
        // An endpoint without TLS is on this machine: a proxy would look for it on its own machine and read the token.
        via: url.protocol === "https:" ? this.#init.via?.(host, port) : undefined,
        method,
        headers,
        timeoutMs: CALL_TIMEOUT,
        maxBytes: MAX_ANSWER,
        signal,
      });
    } catch (error) {
      const cause = SallyportError.from(error, "tunnel_down");
      if (isPermanentProxyError(error) || isUntrusted(error)) return { kind: "permanent", error: cause };
      return { kind: "retryable", error: cause, retryInMs: 0, isUnreachable: true };
    }
    return this.#read(answer, doing, url);
  }

  #read({ status, headers, body }: WebAnswer, doing: string, url: URL): CallResult {
    if (status === 200) {
      try {
        return { kind: "answered", status: parseFleetStatus(body) };
      } catch (error) {
        return permanent(
          doing,
          `${url.origin} is not a Sallyport function: ${SallyportError.from(error).message}`,
        );
      }
    }
    if (status === 401) return { ...permanent(doing, this.#unauthorizedReason()), isUnauthorized: true };
    const reason = messageOf(body) ??
      `${url.origin} answered ${status} ${headers["content-type"] ?? ""}`.trim();
    if (status === FLEET_FAILURES.in_use) return { ...permanent(doing, reason), isInUse: true };
    if (status !== 429 && status < 500) return permanent(doing, reason);
    // The answer of AWS itself for a crashed function has no message of ours.
    if (status === 500 && messageOf(body) !== undefined) return permanent(doing, reason);
    const seconds = Number(headers["retry-after"] ?? 0);
    const retryInMs = Number.isFinite(seconds) ? Math.min(seconds, 60) * 1_000 : 0;
    return {
      kind: "retryable",
      error: new SallyportError("tunnel_down", `Cannot ${doing}: ${reason}`),
      retryInMs,
    };
  }

  #unauthorizedReason(): string {
    const serial = this.#init.identity().chain[0]?.serialNumber;
    return `the call was not authorized; check that this machine's clock is right, and that the certificate ` +
      `(serial ${serial}) is from the deployed CA, is not revoked and is in clients.allow`;
  }
}

/** Whether the certificate of what answered is not from a public CA. */
function isUntrusted(error: unknown): boolean {
  return error instanceof Error && isAboutPeerCertificate(error.cause);
}

function permanent(doing: string, reason: string): Extract<CallResult, { kind: "permanent" }> {
  return { kind: "permanent", error: new SallyportError("tunnel_down", `Cannot ${doing}: ${reason}`) };
}

function messageOf(body: string): string | undefined {
  try {
    return FAILURE.parse(JSON.parse(body)).error.message;
  } catch {
    return undefined; // not an answer of ours
  }
}
