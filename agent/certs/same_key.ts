import type * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";
import { findIssued, type IssuedCertificate } from "./issued_certificate.ts";
import { isFileName } from "./names.ts";

const FILE = /^(.+?)(\.crt|\.crt\.old)$/;

/**
 * Every certificate in an authority's folder that it issued, also those that a renewal replaced. A file that cannot be
 * read as a certificate is passed over: it must not keep another one from being revoked, and `certs show` names it.
 */
export async function issuedIn(dir: string, root: x509.X509Certificate): Promise<IssuedCertificate[]> {
  const issued: IssuedCertificate[] = [];
  const names = (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name).sort();
  for (const file of names) {
    const [, name = "", ending] = FILE.exec(file) ?? [];
    if (!isFileName(name)) continue;
    const found = await findIssued(dir, name, root, ending as ".crt" | ".crt.old").catch((error) => {
      if (SallyportError.from(error).code === "bad_request") return undefined;
      throw error;
    });
    if (found !== undefined) issued.push(found);
  }
  return issued;
}

/** Those of the certificates that have the public key of another one. */
export function withSameKey(
  issued: readonly IssuedCertificate[],
  { publicKey }: x509.X509Certificate,
): IssuedCertificate[] {
  return issued.filter(({ certificate }) => certificate.publicKey.equal(publicKey));
}
