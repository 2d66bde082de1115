/**
 * A client for `fetch` and `WebSocket` that always uses a proxy: Deno would bypass it for hosts of
 * `NO_PROXY`, which is why that is removed from this process's environment.
 *
 * @param caCert A further CA certificate to trust, as PEM text.
 */
export function proxyClient(proxyUrl: string, caCert?: string): Deno.HttpClient {
  Deno.env.delete("NO_PROXY");
  Deno.env.delete("no_proxy");
  return Deno.createHttpClient({
    proxy: { url: proxyUrl },
    ...(caCert === undefined ? {} : { caCerts: [caCert] }),
  });
}
