/** One invocation as the Runtime API hands it out. */
export interface Invocation {
  readonly id: string;
  /** When it times out, milliseconds since 1970. */
  readonly deadline: number;
  /** The event, JSON. */
  readonly body: string;
  /** Trace id; "" without one. */
  readonly traceId: string;
}

/** An error as the Runtime API expects it; shown in the console and returned to the caller. */
export interface RuntimeError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace: readonly string[];
}

/** Converts a thrown value for the Runtime API. */
export function runtimeError(thrown: unknown): RuntimeError {
  if (!(thrown instanceof Error)) {
    return { errorType: "Error", errorMessage: String(thrown), stackTrace: [] };
  }
  const stackTrace = (thrown.stack ?? "").split("\n").slice(1).map((line) => line.trim());
  return { errorType: thrown.name, errorMessage: thrown.message, stackTrace };
}

/** The Runtime API of Lambda, version 2018-06-01. Every method throws on an unexpected answer. */
export class RuntimeApi {
  readonly #base: string;

  /** @param address `AWS_LAMBDA_RUNTIME_API`: host, port, and in emulators a path. */
  constructor(address: string) {
    this.#base = `http://${address}/2018-06-01/runtime`;
  }

  /** Waits for the next invocation, without a timeout: the machine is frozen in the meantime. */
  async next(): Promise<Invocation> {
    const response = await fetch(`${this.#base}/invocation/next`);
    const body = await response.text();
    const { headers } = response;
    const id = headers.get("lambda-runtime-aws-request-id");
    if (!response.ok || id === null) throw this.#unexpected("wait for an invocation", response);
    return {
      id,
      deadline: Number(headers.get("lambda-runtime-deadline-ms")),
      body,
      traceId: headers.get("lambda-runtime-trace-id") ?? "",
    };
  }

  /** Posts the result of a function. */
  succeeded(id: string, result: unknown): Promise<void> {
    return this.#post(`/invocation/${id}/response`, JSON.stringify(result ?? null));
  }

  /** Posts the error of a function. */
  failed(id: string, error: RuntimeError): Promise<void> {
    return this.#post(`/invocation/${id}/error`, JSON.stringify(error), error.errorType);
  }

  /** Reports that the function cannot be loaded. */
  initFailed(error: RuntimeError): Promise<void> {
    return this.#post("/init/error", JSON.stringify(error), error.errorType);
  }

  async #post(path: string, body: string, errorType?: string): Promise<void> {
    const type = errorType === undefined ? {} : { "lambda-runtime-function-error-type": errorType };
    const headers = { "content-type": "application/json", ...type };
    const response = await fetch(this.#base + path, { method: "POST", headers, body });
    await response.body?.cancel();
    if (!response.ok) throw this.#unexpected(`post ${path}`, response);
  }

  #unexpected(doing: string, { status }: Response): Error {
    return new Error(`Cannot ${doing}: the Runtime API answered ${status}`);
  }
}
