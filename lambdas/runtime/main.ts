/** The runtime: loads the function that Lambda names, and serves its invocations. */
import { configureLog, getLogger } from "../../shared/log.ts";
import type { Handler } from "../handler.ts";
import { RuntimeApi, runtimeError } from "./api.ts";
import { serve } from "./serve.ts";

configureLog();
const log = getLogger("runtime");
const api = new RuntimeApi(Deno.env.get("AWS_LAMBDA_RUNTIME_API") ?? "");
try {
  const handler = await loadHandler(Deno.env.get("LAMBDA_TASK_ROOT") ?? "", Deno.env.get("_HANDLER") ?? "");
  const setTraceId = (id: string) => Deno.env.set("_X_AMZN_TRACE_ID", id);
  await serve({ api, handler, log, setTraceId }).catch((error) => {
    log.error("Runtime API lost", { error: String(error) });
    Deno.exit(1);
  });
} catch (thrown) {
  const error = runtimeError(thrown);
  log.error("function not loaded", { error: `${error.errorType}: ${error.errorMessage}` });
  await api.initFailed(error);
  Deno.exit(1);
}

/**
 * Loads the handler that `_HANDLER` names as `FILE.EXPORT`: the function EXPORT of FILE.js.
 *
 * @param folder `LAMBDA_TASK_ROOT`, the folder of the function's code.
 * @throws {Error} When there is none; also whatever the code itself throws while it is loaded.
 */
async function loadHandler(folder: string, name: string): Promise<Handler> {
  const dot = name.lastIndexOf(".");
  const file = `${folder}/${name.slice(0, dot)}.js`;
  // deno-lint-ignore layers/imports -- only Lambda knows which file it is
  const module: Record<string, unknown> = await import(new URL(`file://${file}`).href);
  const handler = module[name.slice(dot + 1)];
  if (typeof handler !== "function") {
    throw new Error(`Cannot use the handler ${name}: ${file} exports no function of that name`);
  }
  return handler as Handler;
}
