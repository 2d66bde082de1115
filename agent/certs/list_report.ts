import { DAY_MS } from "./limits.ts";
import type { ListReport } from "./report.ts";
import type { RevocationList } from "./revocation_list.ts";
import type { Surroundings } from "./surroundings.ts";

/** Reports on each revocation list of a file. */
export async function reportLists(
  file: string,
  lists: readonly RevocationList[],
  around: Surroundings,
  now: Date,
): Promise<ListReport[]> {
  return await Promise.all(lists.map(async (list, index) => {
    const { issuer, number, thisUpdate, nextUpdate, entries } = list;
    const report = {
      kind: "crl",
      file,
      entry: index + 1,
      issuer,
      number: String(number),
      thisUpdate: thisUpdate.toISOString(),
      nextUpdate: nextUpdate?.toISOString() ?? null,
      daysLeft: nextUpdate ? Math.floor((nextUpdate.getTime() - now.getTime()) / DAY_MS) : null,
      signature: await signatureOf(list, around),
      entries: entries.map(({ serial, at, reason }) => ({ serial, at: at.toISOString(), reason })),
    } as const;
    return { ...report, problems: problemsOf(report, list, now) };
  }));
}

async function signatureOf(list: RevocationList, around: Surroundings): Promise<ListReport["signature"]> {
  if (around.authorities.length === 0) return "not checked";
  for (const authority of around.authorities) if (await list.isSignedBy(authority)) return "good";
  return "bad";
}

function problemsOf(report: Omit<ListReport, "problems">, list: RevocationList, now: Date): string[] {
  const problems: string[] = [];
  const { nextUpdate, signature } = report;
  if (signature === "bad") problems.push("it was not signed by the ca.crt beside it");
  if (nextUpdate === null) problems.push("it does not say when the next one is due");
  else if (nextUpdate < now.toISOString()) {
    problems.push(`it ran out at ${nextUpdate}; certs crl makes the next`);
  }
  if (report.thisUpdate > now.toISOString()) problems.push(`it is not valid before ${report.thisUpdate}`);
  const critical = list.criticalExtension;
  if (critical !== undefined) {
    problems.push(`it has the critical extension ${critical}, which is not supported`);
  }
  return problems;
}
