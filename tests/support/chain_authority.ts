import type { CertifiedKey } from "../../agent/certs/authority.ts";
import type { Chain } from "./chain.ts";
import { crlPem, testCrl, type TestCrlOptions } from "./test_crl.ts";

/** Writes a revocation list of the chain's CA to `certs/ca.crl`, by a rename, so that it is never there in part. */
export async function writeCrl(chain: Chain, options: TestCrlOptions = {}): Promise<void> {
  await replaceFile(chain, "ca.crl", crlPem(await testCrl(await authorityOf(chain), options)));
}

/** The client's certificate of the chain. */
export function clientOf(chain: Chain): Promise<string> {
  return Deno.readTextFile(`${chain.dir}/certs/client.crt`);
}

/** Replaces a file in `certs` by a rename. */
export async function replaceFile(chain: Chain, name: string, text: string): Promise<void> {
  const path = `${chain.dir}/certs/${name}`;
  await Deno.writeTextFile(`${path}.new`, text);
  await Deno.rename(`${path}.new`, path);
}

async function authorityOf(chain: Chain): Promise<CertifiedKey> {
  const read = (name: string) => Deno.readTextFile(`${chain.dir}/certs/${name}`);
  return { cert: await read("ca.crt"), key: await read("ca.key") };
}
