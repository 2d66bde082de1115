import { printable } from "../../../shared/text/sanitize.ts";
import { countOf } from "../../../shared/text/count_of.ts";
import type { CertificateReport, ListReport, Report, RevocationState } from "./report.ts";

/** Formats reports as text, separated by empty lines. */
export function reportText(reports: readonly Report[]): string {
  return reports.map((report) => blockOf(report)).join("\n");
}

function blockOf(report: Report): string {
  const lines = [
    titleOf(report),
    ...linesOf(report).map(([label, value]) => `  ${label.padEnd(12)}${value}`),
    ...report.problems.map((problem) => `  ${"PROBLEM".padEnd(12)}${problem}`),
    ...report.kind === "certificate" ? report.warnings.map((text) => `  ${"WARNING".padEnd(12)}${text}`) : [],
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
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
    ...entries.length === 0 ? [["revoked", "none"] as const] : [],
    ...entries.map(({ serial, at, reason }) => ["revoked", `${serial} on ${at} (${reason})`] as const),
  ];
}

function revocationText(revocation: RevocationState): string {
  switch (revocation.state) {
    case "no list":
      return "unknown, no crl.pem in the same folder";
    case "good":
      return "no";
    case "unknown":
      return "unknown";
    case "revoked":
      return `on ${revocation.at} (${revocation.reason})`;
  }
}

function daysText(days: number): string {
  if (days < 0) return "expired";
  return `${countOf(days, "day")} left`;
}
