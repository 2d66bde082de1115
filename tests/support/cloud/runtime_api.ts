import { startHttpOrigin } from "../http_origin.ts";

/** What a function handed in for an invocation. */
export interface Outcome {
  readonly id: string;
  readonly kind: "response" | "error" | "init";
  readonly body: unknown;
  /** The header that names an error's type. */
  readonly errorType: string | null;
}

/** Lambda's Runtime API for one function, of a test. */
export class FakeRuntimeApi implements AsyncDisposable {
  readonly #origin = startHttpOrigin((request) => this.#answer(request));
  readonly #events: { event: unknown; timeMs: number }[] = [];
  readonly #outcomes = new Map<string, PromiseWithResolvers<Outcome>>();
  #waiting: (() => void) | undefined;
  #count = 0;
  /** What the function said when it could not be loaded. */
  readonly initError = Promise.withResolvers<Outcome>();
  /** Set, it is the status of every answer. */
  status: number | undefined;

  /** As `AWS_LAMBDA_RUNTIME_API` has it. */
  get address(): string {
    return this.#origin.host;
  }

  /** Invokes the function and returns what it hands in. @param timeMs The function's time. */
  invoke(event: unknown, timeMs = 15_000): Promise<Outcome> {
    const outcome = Promise.withResolvers<Outcome>();
    this.#outcomes.set(`invocation-${this.#count + this.#events.length + 1}`, outcome);
    this.#events.push({ event, timeMs });
    this.#waiting?.();
    return outcome.promise;
  }

  async #answer(request: Request): Promise<Response> {
    if (this.status !== undefined) return new Response("", { status: this.status });
    const { pathname } = new URL(request.url);
    if (pathname.endsWith("/invocation/next")) return await this.#next();
    const [, id = "", kind] = /\/(?:invocation\/([^/]+)|init)\/(response|error)$/.exec(pathname) ?? [];
    const init = pathname.endsWith("/init/error");
    const outcome: Outcome = {
      id,
      kind: init ? "init" : kind as "response" | "error",
      body: await request.json(),
      errorType: request.headers.get("lambda-runtime-function-error-type"),
    };
    if (init) this.initError.resolve(outcome);
    else this.#outcomes.get(id)?.resolve(outcome);
    return new Response("", { status: 202 });
  }

  async #next(): Promise<Response> {
    if (this.#events.length === 0) {
      await new Promise<void>((resolve) => this.#waiting = resolve);
    }
    const next = this.#events.shift();
    if (next === undefined) return new Response("", { status: 500 });
    return new Response(JSON.stringify(next.event), {
      headers: {
        "lambda-runtime-aws-request-id": `invocation-${++this.#count}`,
        "lambda-runtime-deadline-ms": String(Date.now() + next.timeMs),
        "lambda-runtime-trace-id": "Root=1-0-0",
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiting?.();
    await this.#origin[Symbol.asyncDispose]();
  }
}

/** The event of a request to a Function URL. */
export function urlEvent(
  init: { method: string; host: string; path?: string; authorization?: string },
): unknown {
  const { method, host, path = "/", authorization } = init;
  return {
    version: "2.0",
    rawPath: path,
    rawQueryString: "",
    headers: { host, ...(authorization === undefined ? {} : { authorization }) },
    requestContext: { domainName: host, http: { method, path, protocol: "HTTP/1.1", sourceIp: "127.0.0.1" } },
    isBase64Encoded: false,
  };
}
