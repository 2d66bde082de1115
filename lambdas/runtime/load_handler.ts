import type { Handler } from "../invocation.ts";

/**
 * Loads the handler that `_HANDLER` names as `FILE.EXPORT`: the function EXPORT of FILE.js.
 *
 * @param folder `LAMBDA_TASK_ROOT`, where the function's code lies.
 * @throws {Error} When there is none; whatever the code itself throws while it is loaded.
 */
export async function loadHandler(folder: string, name: string): Promise<Handler> {
  const dot = name.lastIndexOf(".");
  const file = `${folder}/${name.slice(0, dot)}.js`;
  // deno-lint-ignore layers/imports -- which file it is only Lambda knows
  const module: Record<string, unknown> = await import(new URL(`file://${file}`).href);
  const handler = module[name.slice(dot + 1)];
  if (typeof handler !== "function") {
    throw new Error(`Cannot use the handler ${name}: ${file} exports no function of that name`);
  }
  return handler as Handler;
}
