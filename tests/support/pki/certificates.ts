import type { LeafOptions } from "../../../agent/certs/authority/certificate_authority.ts";
import { initCertificates } from "../../../agent/certs/init.ts";
import { openssl } from "./openssl.ts";
import { TestPki } from "./pki.ts";

/**
 * How the certificates of a chain are created: by `certs init`, by the `openssl` program, or by a CA of the test, which
 * gives the client these names.
 */
export type CertificateMaker = "init" | "openssl" | Pick<LeafOptions, "commonName" | "alternativeNames">;

/** Fills `dir` with ca.crt, server.crt, server.key, client.crt and client.key. */
export async function certificates(dir: string, maker: CertificateMaker): Promise<void> {
  if (maker === "openssl") return await opensslCertificates(dir);
  if (maker === "init") return void await initCertificates({ dir });
  const pki = await TestPki.create();
  await Deno.mkdir(dir);
  await Deno.writeTextFile(`${dir}/ca.crt`, pki.ca);
  const keys = { server: await pki.serverKey(), client: await pki.clientKey(maker) };
  for (const [name, { cert, key }] of Object.entries(keys)) {
    await Deno.writeTextFile(`${dir}/${name}.crt`, cert);
    await Deno.writeTextFile(`${dir}/${name}.key`, key);
  }
}

/** Creates the certificates with `openssl` commands alone. */
async function opensslCertificates(dir: string): Promise<void> {
  await Deno.mkdir(dir);
  await openssl(
    dir,
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout ca.key -out ca.crt",
    "-subj",
    "/CN=openssl test CA",
  );
  await Deno.writeTextFile(
    `${dir}/server.ext`,
    "subjectAltName=DNS:sallyport-server\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n",
  );
  await Deno.writeTextFile(`${dir}/client.ext`, "extendedKeyUsage=clientAuth\nbasicConstraints=CA:FALSE\n");
  for (const name of ["server", "client"]) {
    await openssl(
      dir,
      `req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}.key -out ${name}.csr`,
      "-subj",
      `/CN=sallyport-${name}`,
    );
    await openssl(
      dir,
      `x509 -req -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile ${name}.ext -out ${name}.crt`,
    );
  }
}
