/** What the runtime tells a function about one invocation. */
export interface InvocationContext {
  /** Id of the invocation, for logs. */
  readonly awsRequestId: string;
  /** Aborts shortly before the function's time is over, so that it can still answer. */
  readonly signal: AbortSignal;
  /** Milliseconds until the function's time is over. */
  getRemainingTimeInMillis(): number;
}

/** A function: what it returns is sent back as JSON, what it throws is reported as an error. */
export type Handler = (event: unknown, context: InvocationContext) => Promise<unknown>;
