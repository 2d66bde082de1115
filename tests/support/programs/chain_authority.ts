import assert from "node:assert/strict";
import type { CertifiedKey } from "../../../agent/certs/authority/certificate_authority.ts";
import { Chain, type ChainOptions } from "./chain.ts";
import { startProgram } from "./programs.ts";
import { within } from "../within.ts";
import { crlPem, testCrl, type TestCrlOptions } from "../pki/test_crl.ts";

/** Writes a revocation list of the chain's CA to `certs/ca.crl`, by a rename, so that it is never incomplete. */
export async function writeCrl(chain: Chain, options: TestCrlOptions = {}): Promise<void> {
  await replaceFile(chain, "ca.crl", crlPem(await testCrl(await authorityOf(chain), options)));
}

/** The client's certificate of the chain. */
export function clientOf(chain: Chain): Promise<string> {
  return Deno.readTextFile(`${chain.dir}/certs/client.crt`);
}

/** Starts a server that cannot run with the chain's files; returns its log. */
export async function startRefused(chain: Chain): Promise<string> {
  const file = (name: string) => `${chain.dir}/certs/${name}`;
  await using server = await startProgram("server", [], {
    env: {
      SALLYPORT_LISTEN_PORT: "0",
      SALLYPORT_HEALTH_PORT: "0",
      SALLYPORT_CERT_FILE: file("server.crt"),
      SALLYPORT_KEY_FILE: file("server.key"),
      SALLYPORT_CA_CERT_FILE: file("ca.crt"),
      SALLYPORT_CRL_FILE: file("ca.crl"),
    },
  });
  assert.equal((await within(10_000, server.ended, "the server's end")).code, 1);
  return server.log.text;
}

/** A running chain in which one program has an empty revocation list. @param keys Further keys of the programs. */
export async function startWithList(
  end: "agent" | "server" = "server",
  keys: Pick<ChainOptions, "agent" | "server"> = {},
): Promise<Chain> {
  const chain = await Chain.prepare({ ...keys, [end]: { ...keys[end], crl_file: "certs/ca.crl" } });
  await writeCrl(chain);
  await chain.startServer();
  await chain.startAgent();
  return chain;
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
