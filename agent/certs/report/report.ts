import type { Reason } from "../revocation/revocation_reasons.ts";

/** Report of `certs show` on a certificate. Times are in ISO 8601. */
export interface CertificateReport {
  readonly kind: "certificate";
  readonly file: string;
  /** Its position in the file, from 1. */
  readonly entry: number;
  readonly subject: string;
  readonly issuer: string;
  /** Alternative names, such as `dns:a.example`. */
  readonly names: readonly string[];
  /** Extended key usage: `serverAuth`, `clientAuth` or an object identifier. */
  readonly usages: readonly string[];
  readonly isAuthority: boolean;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Whole days until it expires; negative when it has expired. */
  readonly daysLeft: number;
  /** SHA-256 of the certificate, in hex. */
  readonly sha256: string;
  /** Its key file; null for an entry that is not the first. */
  readonly key: { readonly file: string; readonly state: KeyState } | null;
  readonly revocation: RevocationState;
  /** What makes it unusable; empty when nothing does. */
  readonly problems: readonly string[];
  /** What should be corrected but breaks nothing, such as a key that other users can read. */
  readonly warnings: readonly string[];
}

/** Whether a key file matches its certificate. */
export type KeyState = "fits" | "does not fit" | "absent" | "unreadable";

/** What `crl.pem` in the same folder says about a certificate. */
export type RevocationState =
  | { readonly state: "no list" | "good" | "unknown" }
  | { readonly state: "revoked"; readonly at: string; readonly reason: Reason };

/** Report of `certs show` on a revocation list. */
export interface ListReport {
  readonly kind: "crl";
  readonly file: string;
  readonly entry: number;
  readonly issuer: string;
  /** CRL number; "0" when it has none. */
  readonly number: string;
  readonly thisUpdate: string;
  /** When it expires; null when it does not say. */
  readonly nextUpdate: string | null;
  readonly daysLeft: number | null;
  /** Whether `ca.crt` in the same folder signed it. */
  readonly signature: "good" | "bad" | "not checked";
  readonly entries: readonly { readonly serial: string; readonly at: string; readonly reason: Reason }[];
  readonly problems: readonly string[];
}

/** Report of `certs show` on a file that cannot be read. */
export interface UnreadableReport {
  readonly kind: "unreadable";
  readonly file: string;
  readonly problems: readonly string[];
}

/** Report of `certs show` on one certificate, list or unreadable file. */
export type Report = CertificateReport | ListReport | UnreadableReport;
