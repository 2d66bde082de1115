import type * as x509 from "@peculiar/x509";
import { SallyportError } from "../../../shared/errors.ts";
import { parseCertificates } from "../authority/certificate.ts";
import { readFileIfExists, readTextIfExists } from "../files/read_file.ts";
import { parseLists, type RevocationList } from "../revocation/revocation_list.ts";

/** The files in the same folder that a certificate is checked against. */
export interface CertificateContext {
  /** The certificates in `ca.crt`; empty when it is missing or unreadable, which has its own report. */
  readonly authorities: readonly x509.X509Certificate[];
  /** The lists in `crl.pem`; undefined when it is missing or unreadable. */
  readonly lists: readonly RevocationList[] | undefined;
  /** Why `crl.pem` cannot be used; undefined when it can, or is missing. */
  readonly listProblem: string | undefined;
}

/** Reads `ca.crt` and `crl.pem` in a folder. Never rejects. */
export async function loadCertificateContext(dir: string): Promise<CertificateContext> {
  const authorities = await orUndefined(async () => {
    const text = await readTextIfExists(`${dir}/ca.crt`);
    return text === undefined ? [] : parseCertificates(text, `${dir}/ca.crt`);
  });
  let listProblem: string | undefined;
  const lists = await orUndefined(async () => {
    const bytes = await readFileIfExists(`${dir}/crl.pem`);
    return bytes && parseLists(bytes, `${dir}/crl.pem`);
  }, (problem) => listProblem = problem);
  return { authorities: authorities ?? [], lists, listProblem };
}

async function orUndefined<T>(
  read: () => Promise<T>,
  onProblem?: (problem: string) => void,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    onProblem?.(SallyportError.from(error).message);
    return undefined;
  }
}
