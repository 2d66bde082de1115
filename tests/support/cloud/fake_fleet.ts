import { type Action, ACTIONS } from "../../../shared/cloud/call.ts";
import type { FleetStatus } from "../../../shared/cloud/fleet_status.ts";
import { systemClock } from "../../../shared/system_clock.ts";
import { parseAuthorities } from "../../../shared/pki/x509/pem.ts";
import { CallVerifier } from "../../../lambdas/access/call_verifier.ts";
import { type HttpOrigin, type ServingCertificate, startHttpOrigin } from "../origins/http_origin.ts";

/** Fakes of the cloud functions; they authenticate callers like the real ones. */
export class FakeFleet implements AsyncDisposable {
  /** The answer of the functions. */
  status: FleetStatus = { state: "stopped", servers: [] };
  /** Handles Wake; by default the server is starting then. */
  onWake: () => void | Promise<void> = () => {
    if (this.status.state === "stopped") this.status = { state: "starting", servers: [] };
  };
  /** Answers instead of the functions. */
  answer: ((action: Action) => Response | Promise<Response | undefined> | undefined) | undefined;
  readonly #calls: Action[] = [];
  readonly #gate = new CallVerifier(systemClock);
  readonly #origin: HttpOrigin;
  readonly #scheme: "http" | "https";

  /**
   * @param caPem The CA whose clients may call.
   * @param tls Makes the functions' addresses `https:`, as they are in the cloud, with this certificate.
   */
  constructor(readonly caPem: string, tls?: ServingCertificate) {
    this.#origin = startHttpOrigin((request) => this.#serve(request), tls);
    this.#scheme = tls === undefined ? "http" : "https";
  }

  /** Host and port of the functions, as in CONNECT. */
  get host(): string {
    return this.#origin.host;
  }

  /** Keys of the agent's configuration for these functions. */
  get keys(): Record<string, unknown> {
    const url = (action: Action) => `${this.#scheme}://${this.#origin.host}/${action}`;
    return {
      server_ip: "",
      // Empty, since the functions provide the address.
      server_port: 1,
      wake_endpoint: url("wake"),
      query_endpoint: url("query"),
      kill_endpoint: url("kill"),
    };
  }

  /** Accepted calls of a function. */
  count(action: Action): number {
    return this.#calls.filter((call) => call === action).length;
  }

  /** Sets the ports of 127.0.0.1 where servers run. */
  run(...ports: number[]): void {
    this.status = { state: "running", servers: ports.map((port) => ({ ip: "127.0.0.1", port })) };
  }

  async #serve(request: Request): Promise<Response> {
    const { pathname, hostname } = new URL(request.url);
    const action = ACTIONS.find((each) => pathname === `/${each}`);
    if (action === undefined) return new Response("", { status: 404 });
    const authorities = parseAuthorities({ bytes: new TextEncoder().encode(this.caPem), name: "of a test" });
    const authorization = request.headers.get("authorization") ?? undefined;
    const call = { action, authorization, method: request.method, host: hostname, path: pathname };
    try {
      await this.#gate.verify(call, { authorities, revocation: () => Promise.resolve(undefined) });
    } catch {
      return new Response("", { status: 401 });
    }
    this.#calls.push(action);
    const instead = await this.answer?.(action);
    if (instead !== undefined) return instead;
    if (action === "wake") await this.onWake();
    if (action === "kill") this.status = { state: "stopped", servers: [] };
    return Response.json(this.status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#origin[Symbol.asyncDispose]();
  }
}
