/** Names a target as messages and logs do: `example.org:443`, `[::1]:443`. */
export function shownTarget(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
