/**
 * A program that tries what an attacker would do whose code runs in one of ours, and prints as JSON how each attempt
 * ended: the name of the error, or "done". Tests start it with the flags of a task.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";

const directory = Deno.args[0]!;

const acts: Record<string, () => unknown> = {
  "write a file": () => Deno.writeTextFileSync(`${directory}/written`, ""),
  "write a file through node:fs": () => writeFileSync(`${directory}/written`, ""),
  "remove a file": () => Deno.removeSync(`${directory}/kept`),
  "run a program": () => new Deno.Command(Deno.execPath()).outputSync(),
  "run a program through node:child_process": () => execFileSync(Deno.execPath(), ["--version"]),
  "load a native library": () => Deno.dlopen(Deno.execPath(), {}),
  "signal another process": () => Deno.kill(Deno.ppid, "SIGURG"),
  "read its own memory": () => Deno.readTextFileSync("/proc/self/mem"),
  "read the machine's name": () => Deno.hostname(),
  "list network interfaces": () => Deno.networkInterfaces(),
  "connect to a host": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  "load code from another host": () => import(`${"https"}://127.0.0.1:9/code.ts`),
};

const outcomes: Record<string, string> = {};
for (const [act, attempt] of Object.entries(acts)) {
  try {
    await attempt();
    outcomes[act] = "done";
  } catch (error) {
    const { name, message } = error as Error;
    outcomes[act] = `${name}: ${message}`;
  }
}
const variables = { secret: Deno.env.get("SECRET"), setting: Deno.env.get("SALLYPORT_SETTING") };
// deno-lint-ignore no-console
console.log(JSON.stringify({ outcomes, variables }));
