/**
 * Environment in which a program trusts the root certificate in a file like public ones, wherever it looks for them:
 * compiled executables look elsewhere than programs run from source.
 */
export function believing(file: string): Record<string, string> {
  return {
    DENO_CERT: file,
    DENO_TLS_CA_STORE: "mozilla,system",
    SSL_CERT_FILE: file,
    NODE_EXTRA_CA_CERTS: file,
  };
}
