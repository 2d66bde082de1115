import type { CertificateReport, ListReport, Report, RevocationState } from "./report.ts";

/** Writes reports for people, with an empty line between two. */
export function reportText(reports: readonly Report[]): string {
  return reports.map((report) => blockOf(report)).join("\n");
}

function blockOf(report: Report): string {
  const lines = [
    titleOf(report),
    ...linesOf(report).map(([label, value]) => `  ${label.padEnd(12)}${value}`),
    ...report.problems.map((problem) => `  ${"PROBLEM".padEnd(12)}${problem}`),
  ];
  return lines.map((line) => `${visible(line)}\n`).join("");
}

function titleOf(report: Report): string {
  if (report.kind === "unreadable" || report.entry === 1) return report.file;
  return `${report.file}, entry ${report.entry}`;
}

type Line = readonly [label: string, value: string];

function linesOf(report: Report): Line[] {
  switch (report.kind) {
    case "certificate":
      return certificateLines(report);
    case "crl":
      return listLines(report);
    case "unreadable":
      return [];
  }
}

function certificateLines(report: CertificateReport): Line[] {
  const { notBefore, notAfter, daysLeft, names, usages, key } = report;
  const lines: Line[] = [
    ["subject", report.subject || "none"],
    ["names", names.join(", ") || "none"],
    ["for", report.isAuthority ? "a CA" : usages.join(", ") || "any use"],
    ["serial", report.serial],
    ["valid", `${notBefore} to ${notAfter}, ${daysText(daysLeft)}`],
    ["issuer", report.issuer],
    ["sha256", report.sha256],
    ["revoked", revocationText(report.revocation)],
  ];
  if (key !== null) lines.push(["key", `${key.file}: ${key.state}`]);
  return lines;
}

function listLines(report: ListReport): Line[] {
  const { thisUpdate, nextUpdate, daysLeft, entries } = report;
  const due = nextUpdate === null ? "" : ` to ${nextUpdate}, ${daysText(daysLeft!)}`;
  return [
    ["list", `number ${report.number}`],
    ["issuer", report.issuer],
    ["valid", `${thisUpdate}${due}`],
    ["signature", report.signature],
    ...entries.length === 0 ? [["revoked", "nothing"] as const] : [],
    ...entries.map(({ serial, at, reason }) => ["revoked", `${serial} at ${at} (${reason})`] as const),
  ];
}

function revocationText(revocation: RevocationState): string {
  switch (revocation.state) {
    case "no list":
      return "there is no crl.pem beside it";
    case "good":
      return "no";
    case "unknown":
      return "not known";
    case "revoked":
      return `at ${revocation.at} (${revocation.reason})`;
  }
}

function daysText(days: number): string {
  if (days < 0) return "over";
  return days === 1 ? "1 day left" : `${days} days left`;
}

/** Names in certificates are another's text: what would move a terminal's cursor is written as an escape. */
function visible(line: string): string {
  return line.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
