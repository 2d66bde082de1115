import { parseAuthorities } from "../../shared/tls/certificates.ts";
import type { PemSource } from "../../shared/tls/identity_source.ts";
import { readMaterial, textOf } from "../../shared/tls/material.ts";
import type { Upstream } from "./upstream.ts";

/**
 * Has the certificate of an `https:` proxy judged by the CA of a file.
 *
 * @param source The key `upstream_ca_file`; undefined leaves it to the public roots.
 * @throws {SallyportError} `bad_request` when it cannot be read, or has anything in it but certificates of CAs.
 */
export async function withProxyCa(upstream: Upstream, source: PemSource | undefined): Promise<Upstream> {
  if (source === undefined) return upstream;
  const material = await readMaterial(source, "upstream_ca_file");
  parseAuthorities(material);
  return { ...upstream, proxy: { ...upstream.proxy, ca: textOf(material) } };
}
