import type { X509Certificate } from "node:crypto";

/** Names the subject of a certificate for messages. */
export function subjectOf(certificate: X509Certificate): string {
  return oneLine(certificate.subject) || `serial ${certificate.serialNumber}`;
}

/** Writes a name in one line; the runtime gives one part a line. */
export function oneLine(name: string): string {
  return name.split("\n").join(", ");
}
