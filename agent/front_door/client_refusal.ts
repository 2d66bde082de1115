import type { IncomingMessage, ServerResponse } from "node:http";
import type { SallyportError } from "../../shared/errors.ts";
import type { FrontDoorContext, RefusedRequest } from "./context.ts";
import { refusalOf } from "./refusal.ts";
import { RequestTargetError } from "./request_target.ts";

/** Tells the client of a plain request or of an upgrade why it was not served; its connection can go on. */
export function refuseRequest(
  context: FrontDoorContext,
  protocol: RefusedRequest["protocol"],
  request: IncomingMessage,
  response: ServerResponse,
  error: SallyportError,
): void {
  const target = withoutSecrets(request.url ?? "");
  context.refused({ protocol, target, error });
  const refusal = refusalOf(error, {
    target: `${request.method} ${target}`,
    status: error instanceof RequestTargetError ? error.status : undefined,
    retryAfterMs: context.retryAfterMs(error),
  });
  response.sendDate = false;
  response.writeHead(refusal.status, refusal.reason, refusal.headers);
  response.end(refusal.body);
}

/** A URL for logs and pages: credentials and queries often hold what nobody else should read. */
function withoutSecrets(url: string): string {
  return url.split("?", 1)[0]!.replace(/^(\w+:\/\/)[^/]*@/, "$1");
}
