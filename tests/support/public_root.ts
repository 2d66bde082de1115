/**
 * Environment in which a program believes the root of a file as it does public ones, wherever it looks for these:
 * executables look elsewhere than the sources that they are made of.
 */
export function believing(file: string): Record<string, string> {
  return {
    DENO_CERT: file,
    DENO_TLS_CA_STORE: "mozilla,system",
    SSL_CERT_FILE: file,
    NODE_EXTRA_CA_CERTS: file,
  };
}
