import type { UpstreamProxy } from "../../shared/tls/upstream_proxy.ts";

/**
 * Reads the address of a proxy: `http://host:port` or `https://host:port`, with `user:password@` where it wants
 * that (percent-encoded); without a scheme `http:` is meant, as with curl.
 *
 * @returns undefined for anything else.
 */
export function parseProxyUrl(text: string): UpstreamProxy | undefined {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") return undefined;
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") return undefined;
  const authorization = authorizationOf(url);
  if (authorization === null) return undefined;
  url.username = "";
  url.password = "";
  return { url, authorization };
}

/** RFC 7617, with UTF-8; null where user and password cannot be read. */
function authorizationOf({ username, password }: URL): string | undefined | null {
  if (username === "" && password === "") return undefined;
  try {
    const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
    if (user.includes(":")) return null;
    return `Basic ${new TextEncoder().encode(`${user}:${secret}`).toBase64()}`;
  } catch {
    return null; // a percent sign that stands for nothing
  }
}
