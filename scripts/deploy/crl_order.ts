import { X509Certificate } from "node:crypto";
import { type Crl, isSignedBy, parseCrl } from "../../shared/pki/x509/crl.ts";
import { pemBlocks, type PemLabel } from "../../shared/pki/x509/pem.ts";

/**
 * Compares revocation lists with those in force, CA by CA: the number of a list never decreases (RFC 5280 section
 * 5.2.3), and a certificate whose entry is missing would be accepted again. A CA that is no longer trusted needs no list.
 *
 * @param inForce The lists in force, PEM.
 * @param next The lists to replace them, PEM.
 * @param ca The CAs that will be trusted, PEM.
 * @returns Why `next` is a step back, as it follows "it"; undefined when it is not.
 * @throws {SallyportError} `bad_request` when one of the lists is unreadable.
 */
export function findRegression(inForce: string, next: string, ca: string): string | undefined {
  const after = listsOf(next, "the new revocation list");
  const before = listsOf(inForce, "the revocation list in force");
  for (const authority of derOf(ca, "CERTIFICATE", "ca.crt").map((der) => new X509Certificate(der))) {
    const old = before.filter((list) => isSignedBy(list, authority));
    const own = after.filter((list) => isSignedBy(list, authority));
    if (old.length === 0) continue;
    const [was, is] = [newestNumber(old), newestNumber(own)];
    if (is < was) return `has the number ${is}, and the list in force has ${was}`;
    const kept = serialsOf(own.filter(({ number = 0n }) => number === is));
    const lost = [...serialsOf(old)].filter((serial) => !kept.has(serial));
    if (lost.length > 0) {
      const serials = `${lost.slice(0, 3).join(", ")}${lost.length > 3 ? ", …" : ""}`;
      return `lacks ${lost.length} of the certificates that the list in force revokes (serial ${serials})`;
    }
  }
  return undefined;
}

function newestNumber(lists: readonly Crl[]): bigint {
  return lists.reduce((newest, { number = 0n }) => number > newest ? number : newest, 0n);
}

function serialsOf(lists: readonly Crl[]): Set<string> {
  return new Set(lists.flatMap(({ serials }) => [...serials]));
}

function listsOf(pem: string, name: string): Crl[] {
  return derOf(pem, "X509 CRL", name).map(parseCrl);
}

function derOf(pem: string, label: PemLabel, name: string): Uint8Array<ArrayBuffer>[] {
  const blocks = pemBlocks({ bytes: new TextEncoder().encode(pem), name }, label);
  return blocks.map((block) => Uint8Array.fromBase64(block.replace(/^-----.*$/gm, "")));
}
