import type { Reason } from "./revocation_reasons.ts";

/** What `certs show` tells of one certificate. Times are ISO 8601 texts. */
export interface CertificateReport {
  readonly kind: "certificate";
  readonly file: string;
  /** Its place in the file, from 1. */
  readonly entry: number;
  readonly subject: string;
  readonly issuer: string;
  /** Alternative names, such as `dns:a.example`. */
  readonly names: readonly string[];
  /** What it is for: `serverAuth`, `clientAuth`, or an object identifier. */
  readonly usages: readonly string[];
  readonly isAuthority: boolean;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Whole days until it ends; negative when it has ended. */
  readonly daysLeft: number;
  /** SHA-256 of the certificate, in hex. */
  readonly sha256: string;
  /** The key file beside it; null for an entry that is not the first. */
  readonly key: { readonly file: string; readonly state: KeyState } | null;
  readonly revocation: RevocationState;
  /** What has to be done something about; none when all is well. */
  readonly problems: readonly string[];
}

/** How a certificate and its key file go together. */
export type KeyState = "fits" | "does not fit" | "absent" | "unreadable";

/** What the `crl.pem` beside a certificate says of it. */
export type RevocationState =
  | { readonly state: "no list" | "good" | "unknown" }
  | { readonly state: "revoked"; readonly at: string; readonly reason: Reason };

/** What `certs show` tells of one revocation list. */
export interface ListReport {
  readonly kind: "crl";
  readonly file: string;
  readonly entry: number;
  readonly issuer: string;
  /** Its number; "0" when it has none. */
  readonly number: string;
  readonly thisUpdate: string;
  /** When the next one is due; null when it does not say. */
  readonly nextUpdate: string | null;
  readonly daysLeft: number | null;
  /** Whether it was signed by the `ca.crt` beside it. */
  readonly signature: "good" | "bad" | "not checked";
  readonly entries: readonly { readonly serial: string; readonly at: string; readonly reason: Reason }[];
  readonly problems: readonly string[];
}

/** A file of which nothing can be told. */
export interface UnreadableReport {
  readonly kind: "unreadable";
  readonly file: string;
  readonly problems: readonly string[];
}

/** What `certs show` tells of one thing. */
export type Report = CertificateReport | ListReport | UnreadableReport;
