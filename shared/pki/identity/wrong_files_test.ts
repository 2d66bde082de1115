import assert from "node:assert/strict";
import { EXPIRED, TestPki } from "../../../tests/support/pki/pki.ts";
import { loadIdentity } from "./identity.ts";

/** Loads an agent's identity with the given files instead of the good ones. */
async function messageOf(
  files: Partial<Record<"cert" | "key" | "ca", string | Uint8Array>>,
): Promise<string> {
  const dir = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(`${dir}/${name}`, bytes);
    }
    const at = (name: string) => ({ file: `${dir}/${name}` });
    const loading = loadIdentity({ cert: at("cert"), key: at("key"), ca: at("ca") }, "clientAuth");
    const message = await loading.then(
      () => assert.fail("nothing was wrong"),
      (error: Error) => error.message,
    );
    return message.replaceAll(dir, "DIR");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("loadIdentity names a wrong file, what it contains and what to do", async () => {
  const pki = await TestPki.create();
  const { cert, key } = await pki.clientKey();
  const [other, old] = [await pki.clientKey(), await pki.clientKey(EXPIRED)];
  const good = { cert, key, ca: pki.ca };
  const der = Uint8Array.fromBase64(cert.replace(/-----.*-----/g, ""));
  const csr = "-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n";
  const rows: [Partial<typeof good> | { cert: Uint8Array }, RegExp][] = [
    [{ cert: key }, /^Cannot use certificate DIR\/cert: .*; it contains a private key$/],
    [{ key: cert }, /^Cannot use private key DIR\/key: .*; it contains a certificate$/],
    [
      { cert: csr },
      /^Cannot use certificate DIR\/cert: .*; it contains a certificate signing request \(CSR\)/,
    ],
    [{ cert: der }, /^Cannot use certificate DIR\/cert: .* PEM is expected; "openssl x509 -inform DER/],
    [{ cert: "" }, /^Cannot use certificate DIR\/cert: .*; it is empty$/],
    [{ key: "" }, /^Cannot use private key DIR\/key: .*; it is empty$/],
    [{ ca: "hello" }, /^Cannot use CA certificate DIR\/ca: .*; it contains no PEM$/],
    [
      { key: other.key },
      /^Cannot use private key DIR\/key: it is not the key of the certificate DIR\/cert; use /,
    ],
    [{ ca: cert }, /^Cannot use CA certificate DIR\/ca: entry 1 is not a CA certificate; a server or /],
    [{ cert: old.cert, key: old.key }, /^Cannot use certificate DIR\/cert: it .*expired/],
    [pki.authority.files, /^Cannot use certificate DIR\/cert: it /],
  ];
  for (const [files, message] of rows) assert.match(await messageOf({ ...good, ...files }), message);
});
