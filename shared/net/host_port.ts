/** Writes a host and a port as one: `example.org:443`, `[::1]:443` (RFC 3986 section 3.2). */
export function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
