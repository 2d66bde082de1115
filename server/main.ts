import { terminal } from "../shared/cli/terminal.ts";
import { plainHealthAddress } from "./health_address.ts";
import { askHealth } from "./health_check.ts";

async function main(args: readonly string[]): Promise<number> {
  const isCheck = args.length === 1 && args[0] === "health";
  const address = isCheck ? plainHealthAddress((variable) => Deno.env.get(variable)) : undefined;
  if (address !== undefined) return await askHealth(address, terminal);
  // Loaded only when it is asked for: the check that containers run again and again needs nothing of it.
  const [{ runServer }, { startServer }] = await Promise.all([import("./program.ts"), import("./server.ts")]);
  return await runServer(args, startServer);
}

Deno.exit(await main(Deno.args));
