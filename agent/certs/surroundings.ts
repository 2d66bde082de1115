import type * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";
import { parseCertificates } from "./certificate_file.ts";
import { readIfThere, readTextIfThere } from "./read_file.ts";
import { parseLists, type RevocationList } from "./revocation_list.ts";

/** What stands beside a certificate and decides about it. */
export interface Surroundings {
  /** Those of `ca.crt`; none when there is no such file or it cannot be read, which its own report tells. */
  readonly authorities: readonly x509.X509Certificate[];
  /** Those of `crl.pem`; undefined when there is no such file. */
  readonly lists: readonly RevocationList[] | undefined;
  /** Why `crl.pem` cannot be used. */
  readonly listProblem: string | undefined;
}

/** Reads `ca.crt` and `crl.pem` of a folder. Never rejects. */
export async function surroundingsOf(dir: string): Promise<Surroundings> {
  const authorities = await orUndefined(async () => {
    const text = await readTextIfThere(`${dir}/ca.crt`);
    return text === undefined ? [] : parseCertificates(text, `${dir}/ca.crt`);
  });
  let listProblem: string | undefined;
  const lists = await orUndefined(async () => {
    const bytes = await readIfThere(`${dir}/crl.pem`);
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
