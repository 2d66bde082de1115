/** The runtime: loads the function that Lambda names and serves its invocations. */
import { configureLog, getLogger } from "../../shared/log.ts";
import { RuntimeApi, runtimeError } from "./api.ts";
import { loadHandler } from "./load_handler.ts";
import { serve } from "./serve.ts";

configureLog();
const log = getLogger("runtime");
const api = new RuntimeApi(Deno.env.get("AWS_LAMBDA_RUNTIME_API") ?? "");
try {
  const handler = await loadHandler(Deno.env.get("LAMBDA_TASK_ROOT") ?? "", Deno.env.get("_HANDLER") ?? "");
  const setTraceId = (id: string) => Deno.env.set("_X_AMZN_TRACE_ID", id);
  await serve({ api, handler, log, setTraceId }).catch((error) => {
    log.error("the Runtime API is lost", { reason: String(error) });
    Deno.exit(1);
  });
} catch (thrown) {
  const error = runtimeError(thrown);
  log.error("the function cannot be loaded", { reason: `${error.errorType}: ${error.errorMessage}` });
  await api.initFailed(error);
  Deno.exit(1);
}
