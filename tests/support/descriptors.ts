import assert from "node:assert/strict";
import type { Chain } from "./chain.ts";
import { eventually } from "./eventually.ts";
import type { Program } from "./programs.ts";
import { assertQuiet } from "./zero.ts";

/** Open files of agent and server. */
export interface Descriptors {
  agent: number;
  server: number;
}

/** Whether this machine tells how many files a process has open. */
export const COUNTS_DESCRIPTORS = Deno.build.os === "linux";

/** Counts open files; zeros where the machine does not tell. */
export async function descriptors(chain: Chain): Promise<Descriptors> {
  return { agent: await countOf(chain.agent), server: await countOf(chain.server) };
}

/**
 * Asserts that neither program has a stream, a client or more open files than before; the last ends may still be
 * under way.
 *
 * @returns The open files now.
 */
export async function assertNothingLeaked(chain: Chain, before: Descriptors): Promise<Descriptors> {
  await assertQuiet(chain);
  return await eventually("open files are as many as before", async () => {
    const now = await descriptors(chain);
    assert.ok(now.agent <= before.agent, `${now.agent} files in the agent, ${before.agent} before`);
    assert.ok(now.server <= before.server, `${now.server} files in the server, ${before.server} before`);
    return now;
  });
}

/** Resident memory of a program in KiB; 0 where the machine does not tell. */
export async function residentKiB(program: Program): Promise<number> {
  const text = await proc(program, "cat", "status");
  return Number(text.match(/^VmRSS:\s+(\d+) kB/m)?.[1] ?? 0);
}

/** Processor time of a program so far in ticks of 10 ms; 0 where the machine does not tell. */
export async function processorTicks(program: Program): Promise<number> {
  const fields = (await proc(program, "cat", "stat")).split(") ").at(-1)!.split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

async function countOf(program: Program): Promise<number> {
  return (await proc(program, "ls", "fd")).split("\n").filter((line) => line !== "").length;
}

/** Another program reads `/proc`: Deno lets only those do it who may do everything. */
async function proc(program: Program, reader: string, file: string): Promise<string> {
  if (!COUNTS_DESCRIPTORS) return "";
  const path = `/proc/${program.process.pid}/${file}`;
  const { stdout } = await new Deno.Command(reader, { args: [path], stdin: "null", stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}
