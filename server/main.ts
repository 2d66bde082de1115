import { terminal } from "../shared/cli/terminal.ts";
import { enterUserDirectory } from "../shared/cli/user_directory.ts";
import { configFile } from "../shared/config/config_file.ts";
import { plainHealthAddress } from "./health/health_address.ts";
import { askHealth } from "./health/health_check.ts";

enterUserDirectory();

async function main(args: readonly string[]): Promise<number> {
  const isHealthCheck = args.length === 1 && args[0] === "health";
  const hasFile = isHealthCheck && await configFile(undefined, "server.yaml") !== undefined;
  const address = isHealthCheck && !hasFile
    ? plainHealthAddress((variable) => Deno.env.get(variable))
    : undefined;
  if (address !== undefined) return await askHealth(address, terminal);
  // Loaded only when needed: the health check, which containers run again and again, does not need it.
  const [{ runServer }, { startServer }] = await Promise.all([import("./program.ts"), import("./server.ts")]);
  return await runServer(args, startServer);
}

Deno.exit(await main(Deno.args));
