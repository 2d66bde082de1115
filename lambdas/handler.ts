/** Context of one invocation. */
export interface InvocationContext {
  /** Id of the invocation, for logs. */
  readonly awsRequestId: string;
  /** Aborts shortly before the timeout of the function, so that it can still answer. */
  readonly signal: AbortSignal;
  /** Milliseconds until the timeout of the function. */
  getRemainingTimeInMillis(): number;
}

/** A Lambda function: its result is returned as JSON, an error that it throws is reported. */
export type Handler = (event: unknown, context: InvocationContext) => Promise<unknown>;
