import { startHttpOrigin } from "../origins/http_origin.ts";

/** Result of an invocation. */
export interface InvocationResult {
  readonly id: string;
  readonly kind: "response" | "error" | "init";
  readonly body: unknown;
  /** The header with the type of an error. */
  readonly errorType: string | null;
}

/** A fake of Lambda's Runtime API for one function. */
export class FakeRuntimeApi implements AsyncDisposable {
  readonly #origin = startHttpOrigin((request) => this.#answer(request));
  readonly #events: { event: unknown; timeMs: number }[] = [];
  readonly #results = new Map<string, PromiseWithResolvers<InvocationResult>>();
  #waiting: (() => void) | undefined;
  #count = 0;
  /** The init error of the function. */
  readonly initError = Promise.withResolvers<InvocationResult>();
  /** Status of every answer. @default {success} */
  status: number | undefined;

  /** Value of `AWS_LAMBDA_RUNTIME_API`. */
  get address(): string {
    return this.#origin.host;
  }

  /** Invokes the function and returns its result. @param timeMs Timeout of the function. */
  invoke(event: unknown, timeMs = 15_000): Promise<InvocationResult> {
    const result = Promise.withResolvers<InvocationResult>();
    this.#results.set(`invocation-${this.#count + this.#events.length + 1}`, result);
    this.#events.push({ event, timeMs });
    this.#waiting?.();
    return result.promise;
  }

  async #answer(request: Request): Promise<Response> {
    if (this.status !== undefined) return new Response("", { status: this.status });
    const { pathname } = new URL(request.url);
    if (pathname.endsWith("/invocation/next")) return await this.#next();
    const [, id = "", kind] = /\/(?:invocation\/([^/]+)|init)\/(response|error)$/.exec(pathname) ?? [];
    const init = pathname.endsWith("/init/error");
    const result: InvocationResult = {
      id,
      kind: init ? "init" : kind as "response" | "error",
      body: await request.json(),
      errorType: request.headers.get("lambda-runtime-function-error-type"),
    };
    if (init) this.initError.resolve(result);
    else this.#results.get(id)?.resolve(result);
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
