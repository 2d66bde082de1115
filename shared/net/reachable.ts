/** The address at which this machine reaches what listens on a host: one of its own for "every address". */
export function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}
