import { DAY_MS } from "../authority/limits.ts";
import type { ListReport } from "./report.ts";
import type { RevocationList } from "../revocation/revocation_list.ts";
import type { CertificateContext } from "./certificate_context.ts";

/** Reports on each revocation list in a file. */
export async function reportLists(
  file: string,
  lists: readonly RevocationList[],
  context: CertificateContext,
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
      signature: await signatureOf(list, context),
      entries: entries.map(({ serial, at, reason }) => ({ serial, at: at.toISOString(), reason })),
    } as const;
    return { ...report, problems: problemsOf(report, list, now) };
  }));
}

async function signatureOf(
  list: RevocationList,
  context: CertificateContext,
): Promise<ListReport["signature"]> {
  if (context.authorities.length === 0) return "not checked";
  for (const authority of context.authorities) if (await list.isSignedBy(authority)) return "good";
  return "bad";
}

function problemsOf(report: Omit<ListReport, "problems">, list: RevocationList, now: Date): string[] {
  const problems: string[] = [];
  const { nextUpdate, signature } = report;
  if (signature === "bad") problems.push("it was not signed by ca.crt in the same folder");
  if (nextUpdate === null) problems.push("it has no expiry (nextUpdate)");
  else if (nextUpdate < now.toISOString()) {
    problems.push(`it expired on ${nextUpdate}; sign a new one with "certs crl"`);
  }
  if (report.thisUpdate > now.toISOString()) problems.push(`it is not valid before ${report.thisUpdate}`);
  const critical = list.criticalExtension;
  if (critical !== undefined) {
    problems.push(`it has the critical extension ${critical}, which is not supported`);
  }
  return problems;
}
