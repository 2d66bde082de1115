import { terminal } from "../../shared/cli/terminal.ts";

/** What the first start of a program downloads. */
export interface Download {
  /** Compressed, rounded up. */
  readonly megabytes: number;
  /** What it consists of, for the announcement. */
  readonly what: string;
  /** The largest package that every start loads: it arrives last, so when it is there, the others are too. */
  readonly atStart?: string;
  /** The largest package that is loaded once the program does its work, by programs that it starts. */
  readonly atWork?: string;
}

const CLOUDWATCH = "@aws-sdk/client-cloudwatch";
const AWS_CLIENTS = { what: "libraries, mostly AWS clients", atStart: "@aws-sdk/client-s3" };
const AGENT_AND_SERVER = {
  megabytes: 15,
  what: "libraries of agent and server",
  atStart: "@peculiar/x509",
  atWork: CLOUDWATCH,
};

/** By main module. `tests/e2e/programs/downloads_test.ts` measures the figures of agent, server and demo. */
export const DOWNLOADS: Readonly<Record<string, Download>> = {
  "agent/main.ts": { megabytes: 8, what: "libraries", atStart: "zod" },
  "server/main.ts": { megabytes: 13, what: "libraries, a CloudWatch client among them", atStart: CLOUDWATCH },
  "scripts/demo.ts": AGENT_AND_SERVER,
  "scripts/soak.ts": AGENT_AND_SERVER,
  "tests/bench/main.ts": AGENT_AND_SERVER,
  "scripts/deploy.ts": { ...AWS_CLIENTS, megabytes: 24 },
  "scripts/destroy.ts": { ...AWS_CLIENTS, megabytes: 19 },
  "scripts/redeploy.ts": { ...AWS_CLIENTS, megabytes: 19 },
  "scripts/compile.ts": {
    megabytes: 7,
    what: "libraries; a bundler and Deno's runtimes come on top",
    atStart: "@cyclonedx/cyclonedx-library",
  },
  "scripts/package_lambdas.ts": {
    megabytes: 5,
    what: "libraries; a bundler and Deno for Lambda come on top",
    atStart: "zod",
  },
  "scripts/run_tests.ts": {
    megabytes: 170,
    what: "libraries, Chromium and Deno among them, for the tests",
    atWork: "@sparticuz/chromium",
  },
};

/** When a program loads packages: before it reads its arguments, or once it does what they ask for. */
export type Moment = "start" | "work";

const root = new URL("../../", import.meta.url).href;
let isAnnounced = false;

/**
 * Prints how much this program is about to download, once, unless the packages are there. Demo, soak and tests load
 * little at their start and the rest at work: with `--help` they say nothing.
 */
export function announceDownload(moment: Moment): void {
  const download = DOWNLOADS[Deno.mainModule.slice(root.length)];
  if (isAnnounced || download === undefined || !isDue(download, moment, Deno.args, isCached)) return;
  isAnnounced = true;
  terminal.err(`first start: downloading about ${download.megabytes} MB once (${download.what})\n`);
}

/** Whether the download is about to happen. */
export function isDue(
  { atStart, atWork }: Download,
  moment: Moment,
  args: readonly string[],
  isCached: (name: string) => boolean,
): boolean {
  if (moment === "work") return atWork !== undefined && !isCached(atWork);
  const isHelp = args.includes("--help") || args.includes("-h");
  return atStart !== undefined && !isCached(atStart) && !(isHelp && atWork !== undefined);
}

/** Whether Deno has a package in its cache. */
function isCached(name: string): boolean {
  // The folder is found by a package that no program imports, since Deno remembers what it did not find.
  const other = import.meta.resolve("fast-check");
  const folder = other.slice(0, other.lastIndexOf("/fast-check/"));
  try {
    return Deno.statSync(new URL(`${folder}/${name}`)).isDirectory;
  } catch {
    return false;
  }
}
