/** Writes a host and a port as one: `example.org:443`, `[::1]:443` (RFC 3986 section 3.2). */
export function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The address at which this machine reaches what listens on a host: loopback for "all addresses". */
export function dialableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}
